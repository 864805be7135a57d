/** Probes of ports that have no such name. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { pod } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'probe-port',
  title: 'Probe of a port that the container does not name',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The probe fails for ever: the container is never ready, or restarted again and again.',
  remediation: 'Name the port in ports, or correct the name in the probe.',

  subject: 'container',
  evaluate({ container }) {
    const names = new Set((container.ports ?? []).map(({ name }) => name));
    const found = (['livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap(probe =>
      (['httpGet', 'tcpSocket'] as const).flatMap(kind => {
        const port = container[probe]?.[kind]?.port;
        return typeof port === 'string' && !/^[0-9]+$/.test(port) && !names.has(port)
          ? [{ probe, port, at: [probe, kind, 'port'] }]
          : [];
      }),
    );
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  message: found =>
    found.map(({ probe, port }) => `${probe} asks port "${port}", which is not named`).join(', '),

  examples: {
    bad: [pod('ports: [{ name: http, containerPort: 80 }], livenessProbe: { httpGet: { port: web } }')],
    good: [pod('ports: [{ name: http, containerPort: 80 }], livenessProbe: { httpGet: { port: http } }')],
  },
});
