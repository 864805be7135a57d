/** Who may import whom. Each rule has a name and a reason that a person can answer; test/fences plants violations. */

/** What each floor may reach, beside itself. Arrows only point down. */
const FLOORS = {
  kube: [],
  yaml: ['kube'],
  world: ['kube'],
  // A policy file (ABAC) is text: what it says is decided by how it is read.
  decide: ['kube', 'yaml', 'world'],
  paths: ['kube', 'world', 'decide'],
  check: ['kube', 'world'],
  practices: ['kube', 'world', 'decide', 'paths', 'check'],
  judge: ['kube', 'world', 'decide', 'check'],
  advise: ['kube', 'world', 'decide'],
  report: ['kube', 'check'],
  sources: ['kube', 'yaml', 'world', 'decide'],
  cli: [
    ...['kube', 'yaml', 'world', 'decide', 'paths', 'check', 'practices', 'judge', 'report', 'advise', 'sources'],
  ],
};
const PURE = 'kube|yaml|world|decide|paths|check|practices|judge|report|advise';
const TESTS = '\\.test\\.ts$';

const floors = Object.entries(FLOORS).map(([floor, below]) => ({
  name: `floor-${floor}`,
  comment: `src/${floor} may import only ${below.length === 0 ? 'itself' : below.join(', ')}: a reader can start at the ground and never meet an unknown word.`,
  severity: 'error',
  from: { path: `^src/${floor}/`, pathNot: TESTS },
  to: { path: '^src/', pathNot: `^src/(${[floor, ...below].join('|')})/` },
}));

export default {
  forbidden: [
    ...floors,
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one file, or a third is missing. Type imports count.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'pure-floor',
      comment: 'The pure floors run in a browser too: no built-in modules of Node.',
      severity: 'error',
      from: { path: `^src/(${PURE})/`, pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'practices-apart',
      comment: 'A practice does not know another one; what both need belongs to a floor below.',
      severity: 'error',
      from: { path: '^src/practices/([^/]+)/', pathNot: TESTS },
      to: { path: '^src/practices/[^/]+/', pathNot: '^src/practices/$1/' },
    },
    {
      name: 'checks-apart',
      comment: 'A check does not import a check: what both need stands beside the folder.',
      severity: 'error',
      from: { path: '^src/practices/[^/]+/checks/', pathNot: TESTS },
      to: { path: '^src/practices/[^/]+/checks/' },
    },
    {
      name: 'no-tests-inside',
      comment: 'What is shipped does not lean on tests or tools.',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: `^(test|tools|bench)/|${TESTS}` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import', 'node', 'default'], extensions: ['.ts', '.js'] },
  },
};
