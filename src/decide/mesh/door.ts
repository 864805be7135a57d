/** Who is let in by the proxies of a mesh: the door `sallyport/mesh`. */
export type { Authorization, MeshRequest, PortProtocol } from './authorize.ts';
export {
  createMesh,
  type Dataplane,
  type Mesh,
  type MeshOptions,
  MeshQueryError,
  type MeshWorkload,
} from './mesh.ts';
export type { MeshConfig } from './mesh-config.ts';
export { type NormalizedPath, normalizePath, type PathNormalization, type PathOptions } from './paths.ts';
