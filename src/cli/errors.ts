/** What a user did wrong, or the machine did to us: said in one or two lines, never with a stack. */

/** Exit codes. Source: the conventions in ARCHITECTURE.md. */
export const EXIT = { clean: 0, findings: 1, unknown: 2, error: 3 } as const;

/** A mistake of the caller's: wrong flag, missing path, broken configuration. Ends the run with exit code 3. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
