/** Pod security as the API server decides it: the door `sallyport/pod-security`. */
export { DecodeError as InvalidPodError } from '#kube/decode.ts';
export {
  type AdmissionContext,
  type AdmissionRequest,
  type AdmissionResponse,
  admit,
  ConfigurationError,
  type PodSecurityConfiguration,
} from './admission.ts';
export {
  type ControlResult,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  VersionError,
} from './evaluate.ts';
export {
  applyPolicy,
  type MutablePart,
  type PolicyResult,
  PreparedPod,
  type SubmittedPod,
} from './policy/apply.ts';
export {
  type Account,
  type Authorizer,
  admitByPolicies,
  type Grants,
  type Phase,
  type PolicyDecision,
  type PolicyRequest,
} from './policy/plugin.ts';
export type { Violation } from './standards/check.ts';
export type { Level } from './standards/registry.ts';
