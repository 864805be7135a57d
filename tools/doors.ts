/** The library's doors: what can be imported, and the source behind each. package.json's exports say the same. */
export const doors: Readonly<Record<string, string>> = {
  index: 'src/index.ts',
  helm: 'src/sources/helm/door.ts',
  authorization: 'src/decide/authorization/door.ts',
  mesh: 'src/decide/mesh/door.ts',
  kustomize: 'src/sources/kustomize/door.ts',
  network: 'src/decide/network/door.ts',
  'pod-security': 'src/decide/pod-security/door.ts',
};
