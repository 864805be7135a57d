/** Every command, in the order of the help. */
import type { Command } from './command.ts';
import { authorizationCommands } from './groups/authorization.ts';
import { everydayCommands } from './groups/everyday.ts';
import { gateCommands } from './groups/gate.ts';
import { meshCommands } from './groups/mesh.ts';
import { podSecurityCommands } from './groups/pod-security.ts';
import { renderCommands } from './groups/render.ts';
import { setupCommands } from './groups/setup.ts';

export const commands: readonly Command[] = [
  ...everydayCommands,
  ...gateCommands,
  ...podSecurityCommands,
  ...authorizationCommands,
  ...meshCommands,
  ...renderCommands,
  ...setupCommands(() => commands),
];
