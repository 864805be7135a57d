/** Completions for shells, made from the definitions of the commands. */
import { type Command, commonOptions, type Option } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** @param checks the ids of all checks: what may stand where a check is named */
export function completionFor(shell: Shell, commands: readonly Command[], checks: readonly string[]): string {
  return { bash, zsh, fish }[shell](commands, checks);
}

/** What may stand for a value or an operand: words that are known, a check, or the name of a file. */
type Words = readonly string[] | 'checks' | 'files';

const wordsOf = ({ choices, value }: Option): Words => choices ?? (value === 'WORD' ? 'checks' : 'files');
const operandsOf = ({ operands }: Command): Words =>
  operands === 'SHELL' ? shells : operands === 'CHECK' || operands === '[WORD]…' ? 'checks' : 'files';

/** Within single quotes, for every shell here: fish takes a backslash for itself too. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const optionsOf = ({ options }: Command): readonly Option[] => [...options, ...commonOptions];
const flagsOf = ({ name, short }: Option) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];

/** The words that may follow each beginning of a command; the empty one begins them all. */
function nextWords(commands: readonly Command[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { name } of commands) {
    const words = name.split(' ');
    for (const [i, word] of words.entries()) {
      const before = words.slice(0, i).join(' ');
      const list = found.get(before) ?? [];
      found.set(before, list);
      if (!list.includes(word)) list.push(word);
    }
  }
  return found;
}

/** The beginnings of commands that are none themselves, by how many words they have. */
function groupsByDepth(commands: readonly Command[]): (readonly (readonly [string, readonly string[]])[])[] {
  const groups = [...nextWords(commands)].filter(([before]) => before !== '');
  const depths = Math.max(0, ...groups.map(([before]) => before.split(' ').length));
  return Array.from({ length: depths }, (_, i) =>
    groups.filter(([before]) => before.split(' ').length === i + 1),
  );
}

function summaryOf(commands: readonly Command[], name: string): string {
  return commands.find(one => one.name === name)?.summary ?? `commands of ${name}`;
}

function bash(commands: readonly Command[], checks: readonly string[]): string {
  const proposal = (words: Words) =>
    words === 'files'
      ? '_sallyport_files'
      : `_sallyport_words ${words === 'checks' ? '"$_sallyport_checks"' : quoted(words.join(' '))}`;
  const cases = commands.map(command => {
    const options = optionsOf(command);
    const values = options
      .filter(({ value }) => value !== undefined)
      .map(option => {
        const flags = flagsOf(option).join('|');
        return `        ${flags}) ${proposal(wordsOf(option))}; return ;;`;
      });
    const operands = operandsOf(command);
    return [
      `    ${quoted(command.name)})`,
      ...(values.length === 0 ? [] : ['      case "$previous" in', ...values, '      esac']),
      `      options=${quoted(options.map(({ name }) => `--${name}`).join(' '))}`,
      `      ${operands === 'files' ? '' : `if [[ $current != -* ]]; then ${proposal(operands)}; return; fi `};;`,
    ].join('\n');
  });
  return `# bash completion for sallyport. Use: source <(sallyport completion bash)
_sallyport_checks=${quoted(checks.join(' '))}
# Without mapfile, which the bash of macOS does not have.
_sallyport_take() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done
}
_sallyport_words() {
  compopt +o filenames 2>/dev/null || :
  _sallyport_take < <(compgen -W "$1" -- "$current")
}
_sallyport_files() {
  _sallyport_take < <(compgen -f -- "$current")
}
_sallyport() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local command="\${COMP_WORDS[1]}" options=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _sallyport_words ${quoted([...nextWords(commands).get('')!, '--help', '--version'].join(' '))}
    return
  fi
${groupsByDepth(commands)
  .map(
    (groups, i) => `  case "$command" in
${groups
  .map(
    ([before, next]) => `    ${quoted(before)})
      if ((COMP_CWORD == ${i + 2})); then
        _sallyport_words ${quoted(next.join(' '))}
        return
      fi
      command="$command \${COMP_WORDS[${i + 2}]}" ;;`,
  )
  .join('\n')}
  esac`,
  )
  .join('\n')}
  # Bash takes an equals sign for a word of its own.
  if [[ $previous == = ]]; then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  elif [[ $current == = ]]; then
    current=''
  fi
  case "$command" in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then
    _sallyport_words "$options"
  else
    _sallyport_files
  fi
}
complete -o filenames -F _sallyport sallyport
`;
}

/**
 * Sources: zshcompsys(1), "_arguments" (a colon in an explanation or a message, and brackets in an explanation, are
 * written with a backslash; an equals sign behind an option lets its value stand in the same word or in the next) and
 * "_describe" (a colon behind the first one stands for itself).
 */
function zsh(commands: readonly Command[], checks: readonly string[]): string {
  const explained = (text: string) => text.replace(/[:[\]\\]/g, '\\$&');
  const message = (text: string) => text.replaceAll(':', '\\:');
  const action = (words: Words) =>
    words === 'files' ? '_files' : words === 'checks' ? '_sallyport_checks' : `(${words.join(' ')})`;
  const specs = (command: Command) =>
    optionsOf(command).map(option => {
      const { value, description } = option;
      const flags = flagsOf(option);
      const many = option.many === true ? '*' : flags.length > 1 ? `(${flags.join(' ')})` : '';
      const argument = value === undefined ? '' : `:${message(value)}:${action(wordsOf(option))}`;
      return flags
        .map(flag => {
          const equals = value !== undefined && flag.startsWith('--') ? '=' : '';
          return `      ${quoted(`${many}${flag}${equals}[${explained(description)}]${argument}`)} \\`;
        })
        .join('\n');
    });
  const described = (before: string, next: readonly string[]) =>
    next
      .map(word => quoted(`${word}:${summaryOf(commands, before === '' ? word : `${before} ${word}`)}`))
      .join(' ');
  return `#compdef sallyport
# zsh completion for sallyport. Use: sallyport completion zsh > "\${fpath[1]}/_sallyport"
_sallyport_checks() {
  compadd "$@" -- ${checks.join(' ')}
}
_sallyport() {
  local command="$words[2]"
  local -i depth=1
  local -a next
  if ((CURRENT == 2)); then
    next=(${described('', nextWords(commands).get('')!)})
    _describe command next
    return
  fi
${groupsByDepth(commands)
  .map(
    (groups, i) => `  case "$command" in
${groups
  .map(
    ([before, next]) => `    ${quoted(before)})
      if ((CURRENT == ${i + 3})); then
        next=(${described(before, next)})
        _describe command next
        return
      fi
      command="$command $words[${i + 3}]"
      depth=${i + 2} ;;`,
  )
  .join('\n')}
  esac`,
  )
  .join('\n')}
  # What is left begins with the last word of the command.
  shift $depth words
  ((CURRENT -= depth))
  case "$command" in
${commands
  .map(
    command =>
      `    ${quoted(command.name)})\n      _arguments \\\n${specs(command).join('\n')}\n      ${quoted(`*:${message(command.operands ?? 'file')}:${action(operandsOf(command))}`)} ;;`,
  )
  .join('\n')}
  esac
}
if [[ $funcstack[1] == _sallyport ]]; then _sallyport "$@"; else compdef _sallyport sallyport; fi
`;
}

/**
 * Sources: complete(1), commandline(1), test(1) of fish. What was typed is compared word by word: `diff` is a command,
 * and the second word of others.
 */
function fish(commands: readonly Command[], checks: readonly string[]): string {
  const text = (words: string) => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = [
    `# fish completion for sallyport. Use: sallyport completion fish | source
function __sallyport_words
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        string match -q -- '-*' $word; or echo $word
    end
end
function __sallyport_at
    set -l words (__sallyport_words)
    test "$words" = "$argv"
end
function __sallyport_in
    set -l words (__sallyport_words)
    set -l wanted (count $argv)
    test (count $words) -ge $wanted; and test "$words[1..$wanted]" = "$argv"
end
function __sallyport_checks
    printf '%s\\n' ${checks.join(' ')}
end`,
  ];
  const proposal = (words: Words) =>
    words === 'files'
      ? []
      : [`-f -a ${words === 'checks' ? "'(__sallyport_checks)'" : text(words.join(' '))}`];
  for (const [before, next] of nextWords(commands))
    for (const word of next) {
      const name = before === '' ? word : `${before} ${word}`;
      const condition = text(`__sallyport_at${before === '' ? '' : ` ${before}`}`);
      lines.push(`complete -c sallyport -f -n ${condition} -a ${word} -d ${text(summaryOf(commands, name))}`);
    }
  for (const command of commands) {
    const condition = text(`__sallyport_in ${command.name}`);
    const operands = proposal(operandsOf(command));
    if (operands.length > 0) lines.push(`complete -c sallyport -n ${condition} ${operands.join(' ')}`);
    for (const option of optionsOf(command)) {
      const { name, short, value, description } = option;
      lines.push(
        [
          `complete -c sallyport -n ${condition} -l ${name}`,
          ...(short === undefined ? [] : [`-s ${short}`]),
          ...(value === undefined ? [] : ['-r']),
          ...(value === undefined ? [] : proposal(wordsOf(option))),
          `-d ${text(description)}`,
        ].join(' '),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
