/** What rendering may cost: a chart is a program that strangers wrote. */
import { GoError } from './value.ts';

export interface RenderLimits {
  /** Evaluated actions, function calls and turns of loops. */
  readonly steps: number;
  /** Characters written, by all templates together. */
  readonly output: number;
  /** Milliseconds. */
  readonly time: number;
}

export const defaultRenderLimits: RenderLimits = {
  steps: 20_000_000,
  output: 256 * 1024 * 1024,
  time: 30_000,
};

/** The chart asks for more than it may have. It is no error of the template: helm would go on. */
export class BudgetError extends Error {}

export class Budget {
  private readonly limits: RenderLimits;
  private readonly end: number;
  private steps = 0;
  private written = 0;

  constructor(limits: RenderLimits = defaultRenderLimits) {
    this.limits = limits;
    this.end = performance.now() + limits.time;
  }

  step(count = 1): void {
    this.steps += count;
    if (this.steps > this.limits.steps) throw new BudgetError(`stopped after ${this.limits.steps} steps`);
    if ((this.steps & 0xfff) === 0 && performance.now() > this.end)
      throw new BudgetError(`stopped after ${this.limits.time} ms`);
  }

  wrote(count: number): void {
    this.written += count;
    if (this.written > this.limits.output)
      throw new BudgetError(`stopped after ${this.limits.output} characters of output`);
  }

  /** A text that a function is about to make: refused before it takes the memory. */
  make(length: number): void {
    if (length > this.limits.output)
      throw new GoError(`text of ${length} characters is more than may be made`);
    this.wrote(length / 8);
  }
}
