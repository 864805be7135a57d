/**
 * Running a parsed template: text/template/exec.go. Order of evaluation, types of arguments, and every message of an
 * error are Go's; a tracer, where there is one, is told what each printed text came from.
 */
import type { Budget } from './budget.ts';
import { format } from './format.ts';
import {
  type AnyNode,
  type BranchNode,
  type CommandNode,
  type FieldNode,
  type ListNode,
  type NumberNode,
  type Operand,
  type PipeNode,
  show,
  type Template,
  type TemplateNode,
  type VariableNode,
} from './nodes.ts';
import { goQuote } from './quote.ts';
import type { Carried, Tracer } from './trace.ts';
import {
  byteLength,
  bytesOf,
  bytesSlice,
  Complex,
  compareStrings,
  GoError,
  GoMap,
  GoSlice,
  GoStruct,
  Int,
  int,
  isTrue,
  type Place,
  setPlace,
  sliceBytes,
  sortedKeys,
  typeOf,
  type Value,
} from './value.ts';

/** The type of a parameter. `value` is reflect.Value: it may be anything, also nothing. */
export type ParamType =
  | 'any'
  | 'string'
  | 'int'
  | 'int64'
  | 'uint32'
  | 'bool'
  | 'float64'
  | 'map'
  | 'value'
  | 'time'
  | 'certificate'
  | 'list';

export interface Fn {
  readonly params: readonly ParamType[];
  /** The type of the arguments after `params`. */
  readonly rest: ParamType | undefined;
  call(args: Value[], context: Context): Value;
}

export interface Context {
  readonly templates: { get(name: string): Template | undefined };
  readonly functions: ReadonlyMap<string, Fn>;
  readonly budget: Budget;
  readonly tracer: Tracer | undefined;
  /** How often each template is being included right now. */
  readonly including: Map<string, number>;
  /** How many templates and includes run inside each other. */
  depth: number;
  /** As `Option("missingkey=error")`: a key that a map does not have is an error. */
  readonly missingKey?: 'error';
}

const TYPE_NAMES: Readonly<Record<ParamType, string>> = {
  any: 'interface {}',
  string: 'string',
  int: 'int',
  int64: 'int64',
  uint32: 'uint32',
  bool: 'bool',
  float64: 'float64',
  map: 'map[string]interface {}',
  value: 'reflect.Value',
  time: 'time.Time',
  certificate: 'sprig.certificate',
  list: '[]interface {}',
};

const MAX_DEPTH = 100_000;
const MISSING = Symbol('missing');
type Final = Value | typeof MISSING;
type Jump = 0 | 1 | 2;

/** The call stack ran out: also a SyntaxError says so, where a pattern could not be compiled any more. */
export const isStackOverflow = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('call stack size');

/** Runs the template of that name: Template.ExecuteTemplate. */
export function execute(context: Context, name: string, data: Value): string {
  const template = context.templates.get(name);
  if (template === undefined)
    throw new GoError(`template: no template ${goQuote(name)} associated with template "gotpl"`);
  return executeTemplate(context, template, data);
}

export function executeTemplate(context: Context, template: Template, data: Value): string {
  const out: string[] = [];
  context.tracer?.open();
  new State(context, template, data, out).run();
  const text = out.length === 1 ? out[0]! : out.join('');
  context.tracer?.close(text);
  return text;
}

class State {
  private readonly context: Context;
  private readonly template: Template;
  private readonly out: string[];
  private readonly names: string[] = ['$'];
  private readonly values: Value[];
  private readonly interfaces: boolean[] = [false];
  private dotIsInterface = false;
  private node: AnyNode | undefined;

  constructor(context: Context, template: Template, data: Value, out: string[]) {
    this.context = context;
    this.template = template;
    this.values = [data === null ? undefined : data];
    this.out = out;
  }

  run(): void {
    this.walkList(this.values[0], this.template.root);
  }

  private fail(message: string, wrapped?: GoError): never {
    throw new GoError(`template: ${this.where()}: ${message}`, wrapped, true);
  }

  private where(): string {
    const node = this.node;
    if (node === undefined) return this.template.name;
    const before = node.tree.text.slice(0, node.at);
    const lineStart = before.lastIndexOf('\n') + 1;
    let line = 1;
    for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++;
    const column = byteLength(before.slice(lineStart));
    return `${this.template.file}:${line}:${column}: executing ${goQuote(this.template.name)} at <${show(node)}>`;
  }

  private pop(mark: number): void {
    this.names.length = mark;
    this.values.length = mark;
    if (this.origins.length > mark) this.origins.length = mark;
    this.interfaces.length = mark;
  }

  private push(name: string, value: Value, isInterface: boolean): void {
    this.names.push(name);
    this.values.push(value);
    this.interfaces.push(isInterface);
  }

  private set(name: string, value: Value, isInterface: boolean): void {
    const at = this.names.lastIndexOf(name);
    if (at < 0) this.fail(`undefined variable: ${name}`);
    this.values[at] = value;
    this.interfaces[at] = isInterface;
  }

  /** What the variables, and the dot of a range or a with, were made of: only where origins are traced. */
  private readonly origins: (Carried | undefined)[] = [];
  private dotOrigin: Carried | undefined;

  private walkList(dot: Value, list: ListNode): Jump {
    for (const node of list.nodes) {
      switch (node.type) {
        case 'text':
          this.out.push(node.text);
          this.context.budget.wrote(node.text.length);
          this.context.tracer?.text(node, this.template.file);
          break;
        case 'action': {
          this.node = node;
          this.context.budget.step();
          const tracer = this.context.tracer;
          const mark = tracer?.beginAction();
          const value = this.evalPipeline(dot, node.pipe);
          if (node.pipe.decl.length === 0) {
            this.node = node;
            const text = typeof value === 'string' ? value : this.print(value);
            this.out.push(text);
            this.context.budget.wrote(text.length);
            if (tracer !== undefined) tracer.printed(node, this.template.file, text, mark!);
          } else if (tracer !== undefined) {
            const carried = tracer.declared(mark!);
            for (const { ident } of node.pipe.decl) this.origins[this.names.lastIndexOf(ident[0]!)] = carried;
          }
          break;
        }
        case 'if':
        case 'with': {
          const jump = this.ifOrWith(dot, node);
          if (jump !== 0) return jump;
          break;
        }
        case 'range':
          this.range(dot, node);
          break;
        case 'template':
          this.callTemplate(dot, node);
          break;
        case 'break':
          return 1;
        case 'continue':
          return 2;
      }
    }
    return 0;
  }

  private print(value: Value): string {
    if (value === undefined || value === null) return '<no value>';
    return format('%v', [value]);
  }

  private ifOrWith(dot: Value, node: BranchNode): Jump {
    this.context.budget.step();
    const mark = this.names.length;
    const tracer = this.context.tracer;
    const traced = tracer?.beginAction();
    const value = this.evalPipeline(dot, node.pipe);
    const truth = isTrue(value);
    const read = isScalar(value) ? tracer?.current() : undefined;
    if (tracer !== undefined) tracer.branched(node, this.template.file, truth, traced!);
    let jump: Jump = 0;
    if (truth) {
      if (node.type === 'with') {
        const before = this.dotIsInterface;
        const origin = this.dotOrigin;
        this.dotIsInterface = false;
        this.dotOrigin = read;
        jump = this.walkList(value, node.list);
        this.dotIsInterface = before;
        this.dotOrigin = origin;
      } else jump = this.walkList(dot, node.list);
    } else if (node.otherwise !== undefined) jump = this.walkList(dot, node.otherwise);
    this.pop(mark);
    return jump;
  }

  private range(dot: Value, node: BranchNode): void {
    this.node = node;
    const outer = this.names.length;
    const tracer = this.context.tracer;
    const traced = tracer?.beginAction();
    const value = this.evalPipeline(dot, node.pipe);
    // What a list that was made on the way is made of stands for its elements.
    const read = tracer?.current();
    const mark = this.names.length;
    const { decl, isAssign } = node.pipe;
    const before = this.dotIsInterface;
    const outerOrigin = this.dotOrigin;
    const once = (index: Value, element: Value, isInterface: boolean, place?: Place): boolean => {
      this.context.budget.step();
      if (tracer !== undefined) {
        this.dotOrigin = !isScalar(element)
          ? undefined
          : place === undefined
            ? read
            : tracer.carriedBy(place, read);
        if (decl.length > 0) this.origins[this.names.lastIndexOf(decl.at(-1)!.ident[0]!)] = this.dotOrigin;
      }
      if (decl.length > 0) {
        if (isAssign) {
          if (decl.length > 1) this.set(decl[0]!.ident[0]!, index, false);
          else this.set(decl[0]!.ident[0]!, element, isInterface);
        } else this.setTop(1, element, isInterface);
      }
      if (decl.length > 1) {
        if (isAssign) this.set(decl[1]!.ident[0]!, element, isInterface);
        else this.setTop(2, index, false);
      }
      this.dotIsInterface = isInterface;
      const jump = this.walkList(element, node.list);
      this.pop(mark);
      return jump !== 1;
    };
    let ran = false;
    if (value instanceof GoSlice) {
      const isInterface = value.type === '[]interface {}';
      for (let at = 0; at < value.items.length; at++) {
        ran = true;
        if (!once(int(at), value.items[at], isInterface, value.places?.[at])) break;
      }
    } else if (value instanceof GoMap) {
      const isInterface = !value.type.endsWith('string');
      for (const key of sortedKeys(value)) {
        ran = true;
        const entry = value.entries.get(key);
        const element = value.type === 'chart.Files' ? bytesSlice(entry as string) : entry;
        if (!once(key, element, isInterface, value.places?.get(key))) break;
      }
    } else if (value instanceof Int) {
      if (decl.length > 1)
        this.fail(`can't use ${format('%v', [value])} to iterate over more than one variable`);
      for (let at = 0n; at < value.value; at++) {
        ran = true;
        if (!once(undefined, new Int(value.kind, at), false)) break;
      }
    } else if (value !== undefined && value !== null) {
      this.fail(`range can't iterate over ${format('%v', [value])}`);
    }
    this.dotIsInterface = before;
    this.dotOrigin = outerOrigin;
    if (tracer !== undefined) tracer.branched(node, this.template.file, ran, traced!);
    if (!ran && node.otherwise !== undefined) this.rangeElse(dot, node.otherwise);
    this.pop(outer);
  }

  /** What stands after `else` may break or continue only an outer range; the parser forbids the rest. */
  private rangeElse(dot: Value, list: ListNode): void {
    this.walkList(dot, list);
  }

  private setTop(count: number, value: Value, isInterface: boolean): void {
    const at = this.values.length - count;
    this.values[at] = value;
    this.interfaces[at] = isInterface;
  }

  private callTemplate(dot: Value, node: TemplateNode): void {
    this.node = node;
    const { context } = this;
    const template = context.templates.get(node.name);
    if (template === undefined) this.fail(`template ${goQuote(node.name)} not defined`);
    if (context.depth >= MAX_DEPTH) this.fail(`exceeded maximum template depth (${MAX_DEPTH})`);
    context.budget.step();
    const data = node.pipe === undefined ? undefined : this.evalPipeline(dot, node.pipe);
    context.depth++;
    try {
      new State(context, template!, data, this.out).run();
    } catch (error) {
      if (isStackOverflow(error)) this.tooDeep(node);
      throw error;
    }
    context.depth--;
  }

  private tooDeep(node: AnyNode): never {
    this.node = node;
    return this.fail(`exceeded maximum template depth (${MAX_DEPTH})`);
  }

  private evalPipeline(dot: Value, pipe: PipeNode): Value {
    this.node = pipe;
    let value: Final = MISSING;
    for (const command of pipe.commands) {
      value = this.evalCommand(dot, command, value);
      if (value === null) value = undefined;
    }
    for (const variable of pipe.decl) {
      if (pipe.isAssign) this.set(variable.ident[0]!, value as Value, false);
      else this.push(variable.ident[0]!, value as Value, false);
    }
    return value as Value;
  }

  private notAFunction(args: readonly Operand[], final: Final): void {
    if (args.length > 1 || final !== MISSING)
      this.fail(`can't give argument to non-function ${show(args[0]!)}`);
  }

  private evalCommand(dot: Value, command: CommandNode, final: Final): Value {
    const first = command.args[0]!;
    switch (first.type) {
      case 'field':
        return this.evalFieldNode(dot, first, command.args, final);
      case 'chain':
        return this.evalChain(dot, first, command.args, final);
      case 'identifier':
        return this.evalFunction(dot, first.name, first, command, command.args, final);
      case 'pipe':
        this.notAFunction(command.args, final);
        return this.evalPipeline(dot, first);
      case 'variable':
        return this.evalVariable(dot, first, command.args, final);
      default:
        break;
    }
    this.node = first;
    this.notAFunction(command.args, final);
    switch (first.type) {
      case 'bool':
      case 'string':
        return first.value;
      case 'dot':
        this.context.tracer?.used(this.dotOrigin);
        return dot;
      case 'nil':
        return this.fail('nil is not a command');
      case 'number':
        return this.idealConstant(first);
    }
  }

  private idealConstant(node: NumberNode): Value {
    this.node = node;
    const { text } = node;
    if (node.complex !== undefined) return new Complex(node.complex[0], node.complex[1]);
    const isHex = text.length > 2 && text[0] === '0' && /[xX]/.test(text[1]!) && !/[pP]/.test(text);
    if (node.float !== undefined && !isHex && text[0] !== "'" && /[.eEpP]/.test(text)) return node.float;
    if (node.int !== undefined) return new Int('int', node.int);
    return this.fail(`${text} overflows int`);
  }

  private evalFieldNode(dot: Value, node: FieldNode, args: readonly Operand[], final: Final): Value {
    this.node = node;
    return this.evalFieldChain(dot, dot, this.dotIsInterface, node, node.ident, 0, args, final);
  }

  private evalChain(
    dot: Value,
    node: Operand & { type: 'chain' },
    args: readonly Operand[],
    final: Final,
  ): Value {
    this.node = node;
    if (node.node.type === 'nil') this.fail(`indirection through explicit nil in ${show(node)}`);
    const receiver = this.evalArg(dot, undefined, node.node);
    return this.evalFieldChain(dot, receiver, false, node, node.fields, 0, args, final);
  }

  private evalVariable(dot: Value, node: VariableNode, args: readonly Operand[], final: Final): Value {
    this.node = node;
    const name = node.ident[0]!;
    const at = this.names.lastIndexOf(name);
    if (at < 0) this.fail(`undefined variable: ${name}`);
    if (node.ident.length === 1) {
      this.notAFunction(args, final);
      this.context.tracer?.used(this.origins[at]);
      return this.values[at];
    }
    return this.evalFieldChain(dot, this.values[at], this.interfaces[at]!, node, node.ident, 1, args, final);
  }

  private evalFieldChain(
    dot: Value,
    start: Value,
    startIsInterface: boolean,
    node: AnyNode,
    ident: readonly string[],
    from: number,
    args: readonly Operand[] | undefined,
    final: Final,
  ): Value {
    let receiver = start;
    let isInterface = startIsInterface;
    const last = ident.length - 1;
    for (let at = from; at <= last; at++) {
      const name = ident[at]!;
      const isLast = at === last;
      const hasArgs = isLast && ((args !== undefined && args.length > 1) || final !== MISSING);
      // The common case first: a key of a plain map.
      if (receiver instanceof GoMap && receiver.type === 'map[string]interface {}') {
        if (hasArgs) this.fail(`${name} is not a method but has arguments`);
        const found: Value = receiver.entries.get(name);
        if (found === undefined && this.context.missingKey === 'error')
          this.fail(`map has no entry for key ${goQuote(name)}`);
        if (isLast) this.context.tracer?.read(receiver, name, found, node);
        isInterface = true;
        receiver = found === undefined ? null : found;
        continue;
      }
      if (receiver instanceof GoMap && !(receiver.type === 'map[string]int')) {
        const method =
          receiver.type === 'chart.Files'
            ? fileMethod(name)
            : receiver.type === 'common.Values'
              ? VALUES_METHODS[name]
              : undefined;
        if (method !== undefined) {
          receiver = this.callMethod(
            dot,
            receiver,
            name,
            method,
            node,
            isLast ? args : undefined,
            isLast ? final : MISSING,
          );
          isInterface = false;
          continue;
        }
        if (hasArgs) this.fail(`${name} is not a method but has arguments`);
        if (this.context.tracer !== undefined && GIVEN.has(name) && isScope(receiver))
          this.context.tracer.given(`.${ident.slice(at).join('.')}`);
        const stored: Value = receiver.entries.get(name);
        if (stored === undefined && this.context.missingKey === 'error')
          this.fail(`map has no entry for key ${goQuote(name)}`);
        const found: Value =
          receiver.type === 'chart.Files' ? bytesSlice((stored as string | undefined) ?? '') : stored;
        if (isLast && this.context.tracer !== undefined)
          this.context.tracer.read(receiver, name, found, node);
        isInterface = !receiver.type.endsWith(']string');
        receiver = found === undefined ? (isInterface ? null : '') : found;
        continue;
      }
      if (receiver === undefined) return undefined;
      if (receiver === null) this.fail(`nil pointer evaluating interface {}.${name}`);
      const typeName = isInterface ? 'interface {}' : typeOf(receiver);
      const methods = receiver instanceof GoStruct ? receiver.methods.get(name) : undefined;
      if (methods !== undefined) {
        receiver = this.callMethod(
          dot,
          receiver,
          name,
          {
            params: methods.params === '' ? [] : (methods.params.split(',') as ParamType[]),
            rest: undefined,
            call: all => methods.call(all.slice(1)),
          },
          node,
          isLast ? args : undefined,
          isLast ? final : MISSING,
        );
        isInterface = false;
        continue;
      }
      if (receiver instanceof GoSlice) {
        const method = SLICE_METHODS[receiver.type]?.[name];
        if (method !== undefined) {
          receiver = this.callMethod(
            dot,
            receiver,
            name,
            method,
            node,
            isLast ? args : undefined,
            isLast ? final : MISSING,
          );
          isInterface = false;
          continue;
        }
      }
      if (receiver instanceof GoStruct && receiver.fields.has(name)) {
        if (hasArgs) this.fail(`${name} has arguments but cannot be invoked as function`);
        receiver = receiver.fields.get(name);
        isInterface = false;
        continue;
      }
      this.fail(`can't evaluate field ${name} in type ${typeName}`);
    }
    return receiver;
  }

  private callMethod(
    dot: Value,
    receiver: Value,
    name: string,
    method: Fn,
    node: AnyNode,
    args: readonly Operand[] | undefined,
    final: Final,
  ): Value {
    const bound: Fn = {
      params: method.params,
      rest: method.rest,
      call: (given, context) => method.call([receiver, ...given], context),
    };
    return this.evalCall(dot, bound, false, node, name, args ?? [], final);
  }

  private evalFunction(
    dot: Value,
    name: string,
    node: AnyNode,
    command: AnyNode,
    args: readonly Operand[],
    final: Final,
  ): Value {
    this.node = node;
    const fn = this.context.functions.get(name);
    if (fn === undefined) return this.fail(`${goQuote(name)} is not a defined function`);
    return this.evalCall(dot, fn, name === 'and' || name === 'or', command, name, args, final);
  }

  private evalCall(
    dot: Value,
    fn: Fn,
    isLogical: boolean,
    node: AnyNode,
    name: string,
    args: readonly Operand[],
    final: Final,
  ): Value {
    const given = Math.max(args.length - 1, 0);
    const count = given + (final === MISSING ? 0 : 1);
    const fixed = fn.params.length;
    if (fn.rest !== undefined) {
      if (count < fixed) this.fail(`wrong number of args for ${name}: want at least ${fixed} got ${given}`);
    } else if (count !== fixed) this.fail(`wrong number of args for ${name}: want ${fixed} got ${count}`);
    if (isLogical) return this.logical(dot, name, args, final);
    const values: Value[] = new Array(count);
    const { tracer } = this.context;
    // What each of these is made of stays known in the map or list that comes of them.
    const places: (Place | undefined)[] | undefined =
      tracer !== undefined && MAKES_PLACES.has(name) ? [] : undefined;
    for (let at = 0; at < given; at++) {
      const type = at < fixed ? fn.params[at]! : fn.rest!;
      const mark = places === undefined ? undefined : tracer!.beginAction();
      values[at] = this.evalArg(dot, type, args[at + 1]!);
      if (places !== undefined) places[at] = tracer!.argument(args[at + 1]!, this.template.file, mark!);
    }
    if (final !== MISSING) {
      const type = given < fixed ? fn.params[given]! : fn.rest!;
      values[given] = this.validate(final, type);
    }
    const { context } = this;
    context.budget.step();
    try {
      const result = fn.call(values, context);
      if (places !== undefined) keepPlaces(name, result, values, places);
      return result;
    } catch (error) {
      if (isStackOverflow(error)) throw error;
      const inner = error instanceof GoError ? error : undefined;
      if (inner === undefined) throw error;
      this.node = node;
      if (inner.message.includes(CALLEE)) {
        const callee = args.length > 1 ? show(args[1]!) : reflectText(final as Value);
        const message = inner.message.replace(CALLEE, () => callee);
        return this.fail(`error calling ${name}: ${message}`, new GoError(message));
      }
      return this.fail(`error calling ${name}: ${inner.message}`, inner);
    }
  }

  private logical(dot: Value, name: string, args: readonly Operand[], final: Final): Value {
    let value: Value;
    for (let at = 1; at < args.length; at++) {
      value = this.evalArg(dot, 'value', args[at]!);
      if (isTrue(value) === (name === 'or')) return value;
    }
    if (final !== MISSING) value = this.validate(final, 'value');
    return value;
  }

  /** An argument of a given type; of any type at all where it is undefined. */
  private evalArg(dot: Value, type: ParamType | undefined, node: Operand): Value {
    this.node = node;
    switch (node.type) {
      case 'dot':
        this.context.tracer?.used(this.dotOrigin);
        return this.validate(dot, type);
      case 'nil':
        if (type === 'any' || type === 'map' || type === 'list' || type === undefined) return null;
        if (type === 'value') return undefined;
        return this.fail(`cannot assign nil to ${TYPE_NAMES[type]}`);
      case 'field':
        return this.validate(this.evalFieldNode(dot, node, [node], MISSING), type);
      case 'variable':
        return this.validate(this.evalVariable(dot, node, [node], MISSING), type);
      case 'pipe':
        return this.validate(this.evalPipeline(dot, node), type);
      case 'identifier':
        return this.validate(this.evalFunction(dot, node.name, node, node, [node], MISSING), type);
      case 'chain':
        return this.validate(this.evalChain(dot, node, [node], MISSING), type);
      default:
        break;
    }
    switch (type) {
      case 'bool':
        if (node.type === 'bool') return node.value;
        return this.fail(`expected bool; found ${show(node)}`);
      case 'string':
        if (node.type === 'string') return node.value;
        return this.fail(`expected string; found ${show(node)}`);
      case 'int':
      case 'int64':
        if (node.type === 'number' && node.int !== undefined) return new Int(type, node.int);
        return this.fail(`expected integer; found ${show(node)}`);
      case 'uint32':
        if (node.type === 'number' && node.uint !== undefined)
          return new Int(type, BigInt.asUintN(32, node.uint));
        return this.fail(`expected unsigned integer; found ${show(node)}`);
      case 'float64':
        if (node.type === 'number' && node.float !== undefined) return node.float;
        return this.fail(`expected float; found ${show(node)}`);
      case 'map':
      case 'list':
      case 'time':
      case 'certificate':
        return this.fail(`can't handle ${show(node)} for arg of type ${TYPE_NAMES[type]}`);
      default:
        return node.type === 'number' ? this.idealConstant(node) : node.value;
    }
  }

  private validate(value: Value, type: ParamType | undefined): Value {
    if (type === undefined || type === 'value') return value;
    if (value === undefined) {
      if (type === 'any' || type === 'map' || type === 'list') return null;
      return this.fail(`invalid value; expected ${TYPE_NAMES[type]}`);
    }
    if (type === 'any') return value;
    // reflect hands a named map over as the map that the function asks for: `typeOf (merge .Values)` is a plain map's.
    if (type === 'map' && value instanceof GoMap && value.type === 'common.Values') return plainMap(value);
    if (isOfType(value, type)) return value;
    if (value instanceof GoStruct && value.type === '*time.Time' && type === 'time') return value;
    return this.fail(
      `wrong type for value; expected ${TYPE_NAMES[type]}; got ${value === null ? 'interface {}' : typeOf(value)}`,
    );
  }
}

function isOfType(value: Value, type: ParamType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'float64':
      return typeof value === 'number';
    case 'int':
    case 'int64':
    case 'uint32':
      return value instanceof Int && value.kind === type && value.named === undefined;
    case 'map':
      return value instanceof GoMap && value.type === 'map[string]interface {}';
    case 'list':
      return value instanceof GoSlice && value.type === '[]interface {}';
    case 'time':
      return value instanceof GoStruct && value.type === 'time.Time';
    case 'certificate':
      return value instanceof GoStruct && value.type === 'sprig.certificate';
    default:
      return true;
  }
}

/** The methods of named map and slice types: a chart's files, the values, the API versions. */
const VALUES_METHODS: Readonly<Record<string, Fn>> = Object.assign(Object.create(null), {
  AsMap: { params: [], rest: undefined, call: ([values]: Value[]) => plainMap(values as GoMap) },
});

/** The same map under its plain type: what is set in one is seen in the other. */
function plainMap(values: GoMap): GoMap {
  const map = new GoMap(values.entries);
  values.places ??= new Map();
  map.places = values.places;
  return map;
}
export const FILES_METHODS: Record<string, Fn> = Object.create(null);
export const SLICE_METHODS: Record<string, Record<string, Fn>> = Object.create(null);

function fileMethod(name: string): Fn | undefined {
  return FILES_METHODS[name];
}

const MAKES_PLACES = new Set(['dict', 'set', 'list', 'tuple']);

/** Notes in a map or list what its values were made of; maps and lists in it know that themselves. */
function keepPlaces(
  name: string,
  result: Value,
  values: readonly Value[],
  places: readonly (Place | undefined)[],
): void {
  if (result instanceof GoSlice) result.places = [...places];
  if (!(result instanceof GoMap)) return;
  const from = name === 'set' ? 1 : 0;
  for (let at = from; at + 1 < values.length; at += 2) {
    const place = places[at + 1];
    if (typeof values[at] === 'string' && place !== undefined) setPlace(result, values[at] as string, place);
  }
}

/** What helm gives to templates beside the values. */
const GIVEN = new Set(['Release', 'Chart', 'Capabilities', 'Template', 'Files']);

const isScope = (value: Value): boolean =>
  value instanceof GoMap && value.entries.has('Release') && value.entries.has('Capabilities');

/** The builtins of text/template. `and` and `or` are decided above: their arguments are evaluated one by one. */
const isScalar = (value: Value): boolean =>
  value === null || typeof value !== 'object' || value instanceof Int;

const CALLEE = '\0callee\0';

export const BUILTINS: Readonly<Record<string, Fn>> = {
  and: { params: ['value'], rest: 'value', call: () => undefined },
  or: { params: ['value'], rest: 'value', call: () => undefined },
  not: { params: ['value'], rest: undefined, call: ([value]) => !isTrue(value) },
  len: { params: ['value'], rest: undefined, call: ([value]) => int(lengthOf(value)) },
  index: { params: ['value'], rest: 'value', call: ([item, ...indexes]) => index(item, indexes) },
  slice: { params: ['value'], rest: 'value', call: ([item, ...indexes]) => slice(item, indexes) },
  call: {
    params: ['value'],
    rest: 'value',
    call: ([fn]) => {
      if (fn === null || fn === undefined) throw new GoError('call of nil');
      // In place of the name stands what evalCall knows of the command.
      throw new GoError(`non-function ${CALLEE} of type ${typeOf(fn)}`);
    },
  },
  eq: { params: ['value'], rest: 'value', call: ([first, ...others]) => equal(first, others) },
  ne: { params: ['value', 'value'], rest: undefined, call: ([a, b]) => !equal(a, [b]) },
  lt: { params: ['value', 'value'], rest: undefined, call: ([a, b]) => less(a, b) },
  le: { params: ['value', 'value'], rest: undefined, call: ([a, b]) => less(a, b) || equal(a, [b]) },
  gt: { params: ['value', 'value'], rest: undefined, call: ([a, b]) => !(less(a, b) || equal(a, [b])) },
  ge: { params: ['value', 'value'], rest: undefined, call: ([a, b]) => !less(a, b) },
};

/** reflect.Value.String: a string itself, otherwise its type in angle brackets. */
function reflectText(value: Value): string {
  return typeof value === 'string' ? value : `<${typeOf(value)} Value>`;
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return byteLength(value);
  if (value instanceof GoMap) return value.entries.size;
  if (value instanceof GoSlice) return value.items.length;
  if (value === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  if (value === null) throw new GoError('len of nil pointer');
  throw new GoError(`len of type ${typeOf(value)}`);
}

function indexArgument(index: Value, capacity: number): number {
  if (index === undefined || index === null) throw new GoError('cannot index slice/array with nil');
  if (!(index instanceof Int)) throw new GoError(`cannot index slice/array with type ${typeOf(index)}`);
  if (index.value < 0n || index.value > BigInt(capacity))
    throw new GoError(`index out of range: ${index.value}`);
  return Number(index.value);
}

function index(start: Value, indexes: Value[]): Value {
  if (start === undefined || start === null) throw new GoError('index of untyped nil');
  let item: Value = start;
  for (const at of indexes) {
    if (item === null || item === undefined) throw new GoError('index of nil pointer');
    if (item instanceof GoSlice) {
      const number = indexArgument(at, item.items.length);
      if (number >= item.items.length) throw new GoError('reflect: slice index out of range');
      item = item.items[number];
    } else if (typeof item === 'string') {
      const bytes = bytesOf(item);
      const number = indexArgument(at, bytes.length);
      if (number >= bytes.length) throw new GoError('reflect: string index out of range');
      item = new Int('uint8', BigInt(bytes[number]!));
    } else if (item instanceof GoMap) {
      if (at === undefined || at === null) throw new GoError('value is nil; should be of type string');
      if (typeof at !== 'string') throw new GoError(`value has type ${typeOf(at)}; should be string`);
      const found: Value = item.entries.get(at);
      item = found === undefined ? (item.type.endsWith(']string') ? '' : null) : found;
    } else throw new GoError(`can't index item of type ${typeOf(item)}`);
  }
  return item;
}

function slice(item: Value, indexes: Value[]): Value {
  if (item === undefined || item === null) throw new GoError('slice of untyped nil');
  if (indexes.length > 3) throw new GoError(`too many slice indexes: ${indexes.length}`);
  if (typeof item !== 'string' && !(item instanceof GoSlice))
    throw new GoError(`can't slice item of type ${typeOf(item)}`);
  if (typeof item === 'string' && indexes.length === 3) throw new GoError('cannot 3-index slice a string');
  const length = typeof item === 'string' ? byteLength(item) : item.items.length;
  const bounds = [0, length];
  indexes.forEach((at, number) => {
    bounds[number] = indexArgument(at, length);
  });
  const [from, to, end] = bounds as [number, number, number?];
  if (from > to) throw new GoError(`invalid slice index: ${from} > ${to}`);
  if (end !== undefined && to > end) throw new GoError(`invalid slice index: ${to} > ${end}`);
  if (typeof item === 'string') return sliceBytes(item, from, to);
  return new GoSlice(item.items.slice(from, to), item.type);
}

type BasicKind = 'bool' | 'complex' | 'int' | 'uint' | 'float' | 'string' | undefined;

function basicKind(value: Value): BasicKind {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'string') return 'string';
  if (value instanceof Int) return value.kind.startsWith('u') ? 'uint' : 'int';
  if (value instanceof Complex) return 'complex';
  return undefined;
}

function equal(first: Value, others: Value[]): boolean {
  if (others.length === 0) throw new GoError('missing argument for comparison');
  const a = first === null ? undefined : first;
  const kind = basicKind(a);
  for (const other of others) {
    const b = other === null ? undefined : other;
    const otherKind = basicKind(b);
    if (kind !== otherKind) {
      if (a instanceof Int && b instanceof Int) {
        if (a.value === b.value) return true;
      } else if (a !== undefined && b !== undefined)
        throw new GoError(`incompatible types for comparison: ${typeOf(a)} and ${typeOf(b)}`);
      continue;
    }
    if (kind !== undefined) {
      if (
        a instanceof Int && b instanceof Int
          ? a.value === b.value
          : a instanceof Complex && b instanceof Complex
            ? a.re === b.re && a.im === b.im
            : a === b
      )
        return true;
      continue;
    }
    if (a === undefined || b === undefined) {
      if (a === b) return true;
      continue;
    }
    const sameKind =
      (a instanceof GoMap && b instanceof GoMap) ||
      (a instanceof GoSlice && b instanceof GoSlice) ||
      (a instanceof GoStruct && b instanceof GoStruct);
    if (!sameKind)
      throw new GoError(
        `non-comparable types ${format('%s', [a])}: ${typeOf(a)}, ${typeOf(b)}: ${format('%v', [b])}`,
      );
    if (!(b instanceof GoStruct)) throw new GoError(`non-comparable type ${format('%s', [b])}: ${typeOf(b)}`);
    if (a === b) return true;
  }
  return false;
}

function less(first: Value, second: Value): boolean {
  const a = first === null ? undefined : first;
  const b = second === null ? undefined : second;
  const kind = basicKind(a);
  const otherKind = basicKind(b);
  if (kind === undefined || otherKind === undefined) throw new GoError('invalid type for comparison');
  if (a instanceof Int && b instanceof Int) return a.value < b.value;
  if (kind !== otherKind)
    throw new GoError(`incompatible types for comparison: ${typeOf(a)} and ${typeOf(b)}`);
  if (typeof a === 'number') return a < (b as number);
  if (typeof a === 'string') return compareStrings(a, b as string) < 0;
  throw new GoError('invalid type for comparison');
}
