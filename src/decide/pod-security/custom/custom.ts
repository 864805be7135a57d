/** Profiles of a team's own, in one place: what reads them, which of them judges a pod, and what it says. */

export { evaluateProfile, type ProfileVerdict, permittedPlaces } from './evaluate.ts';
export { type FieldName, ProfileError } from './form.ts';
export type { FindSeccomp, ProfileBreach } from './linux.ts';
export { type JudgedPod, judgePod, permittedIn } from './pods.ts';
export { type CustomProfile, type ProfileSpec, readProfiles } from './profile.ts';
export { type Bearer, type Chosen, chooseProfile } from './scope.ts';
