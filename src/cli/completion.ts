/** Completions for shells, made from the definitions of the commands. */
import { type Command, commonOptions, type Option } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function completionFor(shell: Shell, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](commands);
}

/** Within single quotes, for every shell here: fish takes a backslash for itself too. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const optionsOf = ({ options }: Command): readonly Option[] => [...options, ...commonOptions];
const flagsOf = ({ name, short }: Option) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];

/** The first words of commands, and behind a group's name the second words. */
function wordsOf(commands: readonly Command[]): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first, second] = name.split(' ') as [string, string?];
    const seconds = words.get(first) ?? [];
    words.set(first, seconds);
    if (second !== undefined) seconds.push(second);
  }
  return words;
}

function bash(commands: readonly Command[]): string {
  const words = wordsOf(commands);
  const groups = [...words].filter(([, seconds]) => seconds.length > 0);
  const cases = commands.map(command => {
    const options = optionsOf(command);
    const values = options
      .filter(({ value }) => value !== undefined)
      .map(option => {
        const flags = flagsOf(option).join('|');
        return option.choices === undefined
          ? `        ${flags}) _sallyport_files; return ;;`
          : `        ${flags}) _sallyport_words ${quoted(option.choices.join(' '))}; return ;;`;
      });
    return [
      `    ${quoted(command.name)})`,
      ...(values.length === 0 ? [] : ['      case "$previous" in', ...values, '      esac']),
      `      options=${quoted(options.map(({ name }) => `--${name}`).join(' '))} ;;`,
    ].join('\n');
  });
  return `# bash completion for sallyport. Use: source <(sallyport completion bash)
_sallyport_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}
_sallyport_files() {
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
_sallyport() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local command="\${COMP_WORDS[1]}" options=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _sallyport_words ${quoted([...words.keys(), '--help', '--version'].join(' '))}
    return
  fi
  case "$command" in
${groups
  .map(
    ([first, seconds]) => `    ${first})
      if ((COMP_CWORD == 2)); then
        _sallyport_words ${quoted(seconds.join(' '))}
        return
      fi
      command="$command \${COMP_WORDS[2]}" ;;`,
  )
  .join('\n')}
  esac
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

function zsh(commands: readonly Command[]): string {
  // In a description a colon and brackets have a meaning.
  const described = (text: string) => text.replace(/[:[\]\\]/g, '\\$&');
  const specs = (command: Command) =>
    optionsOf(command).map(option => {
      const { value, choices, description } = option;
      const flags = flagsOf(option);
      const many = option.many === true ? '*' : flags.length > 1 ? `(${flags.join(' ')})` : '';
      const action =
        value === undefined
          ? ''
          : `:${described(value)}:${choices === undefined ? '_files' : `(${choices.join(' ')})`}`;
      return flags
        .map(flag => `      ${quoted(`${many}${flag}[${described(description)}]${action}`)} \\`)
        .join('\n');
    });
  const lists = [...wordsOf(commands)].filter(([, seconds]) => seconds.length > 0);
  const firsts = [...wordsOf(commands).keys()].map(first => {
    const command = commands.find(({ name }) => name === first);
    return quoted(`${first}:${described(command?.summary ?? `commands of ${first}`)}`);
  });
  return `#compdef sallyport
# zsh completion for sallyport. Use: sallyport completion zsh > "\${fpath[1]}/_sallyport"
_sallyport() {
  local command="$words[2]"
  if ((CURRENT == 2)); then
    local -a commands=(${firsts.join(' ')})
    _describe command commands
    return
  fi
  case "$command" in
${lists
  .map(
    ([first, seconds]) => `    ${first})
      if ((CURRENT == 3)); then
        compadd ${seconds.join(' ')}
        return
      fi
      command="$command $words[3]"
      shift words
      ((CURRENT--)) ;;`,
  )
  .join('\n')}
  esac
  shift words
  ((CURRENT--))
  case "$command" in
${commands
  .map(
    command =>
      `    ${quoted(command.name)})\n      _arguments \\\n${specs(command).join('\n')}\n      '*:file:_files' ;;`,
  )
  .join('\n')}
  esac
}
if [[ $funcstack[1] == _sallyport ]]; then _sallyport "$@"; else compdef _sallyport sallyport; fi
`;
}

function fish(commands: readonly Command[]): string {
  const text = (words: string) => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const words = wordsOf(commands);
  const lines = ['# fish completion for sallyport. Use: sallyport completion fish | source'];
  for (const [first, seconds] of words) {
    const summary = commands.find(({ name }) => name === first)?.summary ?? `commands of ${first}`;
    lines.push(`complete -c sallyport -f -n __fish_use_subcommand -a ${first} -d ${text(summary)}`);
    for (const second of seconds) {
      const described =
        commands.find(({ name }) => name === `${first} ${second}`)?.summary ??
        `commands of ${first} ${second}`;
      const alone = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${seconds.join(' ')}`;
      lines.push(`complete -c sallyport -f -n ${text(alone)} -a ${second} -d ${text(described)}`);
    }
  }
  for (const { name, summary } of commands) {
    const [first, second, third] = name.split(' ');
    if (third === undefined) continue;
    const condition = `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    lines.push(`complete -c sallyport -f -n ${text(condition)} -a ${third} -d ${text(summary)}`);
  }
  for (const command of commands) {
    const seen = command.name
      .split(' ')
      .map(word => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    for (const { name, short, value, choices, description } of optionsOf(command))
      lines.push(
        [
          `complete -c sallyport -n ${text(seen)} -l ${name}`,
          ...(short === undefined ? [] : [`-s ${short}`]),
          ...(value === undefined ? [] : ['-r']),
          ...(choices === undefined ? [] : [`-f -a ${text(choices.join(' '))}`]),
          `-d ${text(description)}`,
        ].join(' '),
      );
  }
  return `${lines.join('\n')}\n`;
}
