/** Pod Security Admission against the real plugin's answers to random requests. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import {
  type AdmissionContext,
  type AdmissionRequest,
  admit,
  ConfigurationError,
} from '#decide/pod-security/door.ts';
import { withShared } from '#test/shared.ts';

withShared('conformance/pod-security-random/psa-admission.json', path => {
  interface Case extends AdmissionContext {
    readonly configError?: string;
    readonly request: AdmissionRequest;
    readonly response: {
      readonly allowed: boolean;
      readonly code?: number;
      readonly reason?: string;
      readonly message?: string;
      readonly warnings?: string[];
      readonly auditAnnotations?: Record<string, string>;
    };
  }
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] };
  it(`answers ${cases.length} random requests as the plugin does`, () => {
    for (const { configError, request, response, ...context } of cases) {
      if (configError !== undefined) {
        assert.throws(() => admit(request, context), ConfigurationError);
        continue;
      }
      assert.deepEqual(admit(request, context), {
        warnings: [],
        auditAnnotations: {},
        ...response,
      });
    }
  });
});
