/** The tree of a parsed template: the nodes of Go's text/template/parse, and how each prints itself in an error. */
import { goQuote } from './quote.ts';

interface At {
  /** The offset in the text of the tree, as ErrorContext takes it. */
  readonly at: number;
  readonly tree: Source;
}

/** The text that a node stands in: files of the same text share their trees. */
export interface Source {
  readonly text: string;
}

export interface TextNode extends At {
  readonly type: 'text';
  readonly text: string;
}
export interface ActionNode extends At {
  readonly type: 'action';
  readonly pipe: PipeNode;
}
export interface BranchNode extends At {
  readonly type: 'if' | 'with' | 'range';
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly otherwise: ListNode | undefined;
}
export interface TemplateNode extends At {
  readonly type: 'template';
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}
export interface JumpNode extends At {
  readonly type: 'break' | 'continue';
}
export interface ListNode extends At {
  readonly type: 'list';
  readonly nodes: StatementNode[];
}
export type StatementNode = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode;

export interface VariableNode extends At {
  readonly type: 'variable';
  readonly ident: readonly string[];
}
export interface PipeNode extends At {
  readonly type: 'pipe';
  isAssign: boolean;
  readonly decl: VariableNode[];
  readonly commands: CommandNode[];
}
export interface CommandNode extends At {
  readonly type: 'command';
  readonly args: Operand[];
}
export interface FieldNode extends At {
  readonly type: 'field';
  readonly ident: readonly string[];
}
export interface ChainNode extends At {
  readonly type: 'chain';
  readonly node: Operand;
  readonly fields: string[];
}
export interface IdentifierNode extends At {
  readonly type: 'identifier';
  readonly name: string;
}
export interface DotNode extends At {
  readonly type: 'dot';
}
export interface NilNode extends At {
  readonly type: 'nil';
}
export interface BoolNode extends At {
  readonly type: 'bool';
  readonly value: boolean;
}
export interface NumberNode extends At {
  readonly type: 'number';
  readonly text: string;
  readonly int: bigint | undefined;
  readonly uint: bigint | undefined;
  readonly float: number | undefined;
  readonly complex: readonly [number, number] | undefined;
}
export interface StringNode extends At {
  readonly type: 'string';
  readonly quoted: string;
  readonly value: string;
}
export type Operand =
  | PipeNode
  | FieldNode
  | ChainNode
  | VariableNode
  | IdentifierNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode;

export type AnyNode = StatementNode | ListNode | CommandNode | Operand;

/** A template that a file holds or defines. */
export interface Template {
  readonly name: string;
  readonly root: ListNode;
  /** The name of the file: what an error shows as its place. */
  readonly file: string;
}

/** Whether a template holds nothing but space: such a one does not replace another (parse.IsEmptyTree). */
export function isEmptyTree(list: ListNode): boolean {
  return list.nodes.every(node => node.type === 'text' && node.text.trim() === '');
}

/** The node as its String method prints it: what stands between ‹ and › in an error. */
export function show(node: AnyNode): string {
  switch (node.type) {
    case 'text':
      return node.text;
    case 'list':
      return node.nodes.map(show).join('');
    case 'action':
      return `{{${show(node.pipe)}}}`;
    case 'template':
      return `{{template ${goQuote(node.name)}${node.pipe === undefined ? '' : ` ${show(node.pipe)}`}}}`;
    case 'break':
    case 'continue':
      return `{{${node.type}}}`;
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.otherwise === undefined ? '' : `{{else}}${show(node.otherwise)}`;
      return `{{${node.type} ${show(node.pipe)}}}${show(node.list)}${otherwise}{{end}}`;
    }
    case 'pipe': {
      const decl = node.decl.map(show).join(', ');
      const equals = decl === '' ? '' : node.isAssign ? ' = ' : ' := ';
      return decl + equals + node.commands.map(show).join(' | ');
    }
    case 'command':
      return node.args.map(arg => (arg.type === 'pipe' ? `(${show(arg)})` : show(arg))).join(' ');
    case 'field':
      return node.ident.map(name => `.${name}`).join('');
    case 'variable':
      return node.ident.join('.');
    case 'chain':
      return (
        (node.node.type === 'pipe' ? `(${show(node.node)})` : show(node.node)) +
        node.fields.map(name => `.${name}`).join('')
      );
    case 'identifier':
      return node.name;
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
  }
}
