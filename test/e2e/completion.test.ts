/** What shells are told, tried where the shell is there; and the list of what a version brought. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { manPage } from '../../src/cli/man.ts';
import { folderOf, run } from './program.ts';

const root = resolve(import.meta.dirname, '../..');

function complete(...words: string[]): string[] {
  const script = `${run(root, ['completion', 'bash']).out}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sallyport; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-euc', script, 'bash', 'sallyport', ...words], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter(word => word !== '');
}

describe('completion', () => {
  const fish = join(folderOf({ 'sallyport.fish': run(root, ['completion', 'fish']).out }), 'sallyport.fish');
  const zsh = folderOf({ 'functions/_sallyport': run(root, ['completion', 'zsh']).out });

  it('completes commands, groups, options, values and files in bash', () => {
    assert.deepEqual(complete('sca'), ['scan']);
    assert.deepEqual(complete('baseline', ''), ['create', 'update', 'show']);
    assert.deepEqual(complete('scan', '--form'), ['--format']);
    assert.deepEqual(complete('scan', '--format', 's'), ['sarif']);
    assert.deepEqual(complete('scan', '-o', 'ju'), ['junit']);
    assert.deepEqual(complete('scan', '--format', '=', 'ju'), ['junit']);
    assert.deepEqual(complete('scan', '--format', '='), complete('scan', '--format', ''));
    assert.deepEqual(complete('scan', 'package.'), ['package.json']);
    assert.deepEqual(complete('exceptions', 'list', '--exp'), ['--expiring']);
    assert.deepEqual(complete('nonsense', '--x'), []);
    assert.deepEqual(complete('completion', ''), ['bash', 'zsh', 'fish']);
    assert.deepEqual(complete('explain', 'pod-security/host-na'), ['pod-security/host-namespaces']);
    assert.deepEqual(complete('scan', '--skip', 'mesh/external-ip'), ['mesh/external-ips']);
    // Commands of three words, below groups that are told once.
    const psp = commands.filter(({ name }) => name.startsWith('pod-security psp '));
    assert.ok(psp.length > 1);
    assert.deepEqual(
      complete('pod-security', 'psp', ''),
      psp.map(({ name }) => name.split(' ')[2]),
    );
    const seconds = complete('pod-security', '');
    assert.equal(new Set(seconds).size, seconds.length);
    assert.ok(complete('pod-security', 'profile', 'lint', '--').includes('--format'));
    assert.ok(!complete('mesh', 'diff', '--').includes('--honor'));
  });

  for (const shell of ['bash', 'zsh', 'fish'])
    it(`knows every command and option for ${shell}`, () => {
      const { out, code } = run(root, ['completion', shell]);
      assert.equal(code, 0);
      for (const { name, options } of commands) {
        for (const word of name.split(' ')) assert.ok(out.includes(word), word);
        for (const option of options)
          assert.ok(out.includes(shell === 'fish' ? ` -l ${option.name}` : `--${option.name}`), option.name);
      }
      const known = spawnSync(shell, ['-n', join(folderOf({ script: out }), 'script')], { encoding: 'utf8' });
      // A shell that is not on this machine cannot say whether it understands.
      if (known.error === undefined) assert.equal(known.stderr, '');
    });

  /** What a line that was typed so far may go on with, and what each shell is asked. */
  const LINES: readonly (readonly [line: string, offered: readonly string[]])[] = [
    ['sallyport sca', ['scan']],
    ['sallyport baseline ', ['create', 'show', 'update']],
    ['sallyport scan --form', ['--format']],
    ['sallyport scan --format s', ['sarif']],
    ['sallyport scan -o ju', ['junit']],
    ['sallyport scan --format=sa', ['sarif']],
    ['sallyport scan package.', ['package.json']],
    ['sallyport scan --baseline x --allow', ['--allow-unknown']],
    ['sallyport scan --check pod-security/host-na', ['pod-security/host-namespaces']],
    ['sallyport exceptions list --exp', ['--expiring']],
    ['sallyport pod-security psp ', ['evaluate', 'migrate']],
    ['sallyport completion ', ['bash', 'fish', 'zsh']],
    ['sallyport explain mesh/external-ips', ['mesh/external-ips']],
    ['sallyport nonsense --x', []],
  ];
  const missing = (shell: string) =>
    spawnSync(shell, ['--version']).error === undefined ? false : `${shell} is not on this machine`;

  describe('in a real fish', { skip: missing('fish') }, () => {
    for (const [line, offered] of LINES)
      it(`goes on with "${line}"`, () => {
        const { stdout, stderr } = spawnSync(
          'fish',
          ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', fish, line],
          { cwd: root, encoding: 'utf8' },
        );
        assert.equal(stderr, '');
        const words = stdout.split('\n').filter(word => word !== '');
        assert.deepEqual(words.map(word => word.split('\t')[0]!.replace(/^--\w+=/, '')).sort(), offered);
      });
  });

  // Types into an interactive zsh, and has it say what its completion adds.
  const typist = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -D -u; setopt no_list_beep'
zpty -w z 'seen=(); compadd() { local -a hits; builtin compadd -A hits "$@"; seen+=($hits); builtin compadd "$@" }'
zpty -w z 'tell() { print -rl -- BEGIN $seen END; BUFFER=; zle accept-line }; zle -N tell; bindkey "^Xt" tell; bindkey "^I" complete-word'
zpty -w z 'cd $OLDROOT; print READY'
while zpty -r z line; do [[ $line == READY* ]] && break; done
zpty -n -w z "$1"$'\\t\\x18t'
while zpty -r z line; do [[ $line == *BEGIN* ]] && break; done
while zpty -r z line; do [[ $line == *END* ]] && break; print -rn -- "$line"; done
`;
  describe('in a real zsh', { skip: missing('zsh') }, () => {
    for (const [line, offered] of LINES)
      it(`goes on with "${line}"`, () => {
        const { stdout, signal } = spawnSync('zsh', ['-f', '-c', typist, 'zsh', line], {
          cwd: zsh,
          encoding: 'utf8',
          timeout: 20_000,
          env: { ...process.env, TERM: 'dumb', OLDROOT: root },
        });
        assert.equal(signal, null, stdout);
        const words = stdout.split(/\r*\n/).filter(word => word !== '');
        assert.deepEqual([...new Set(words.map(word => word.replace(/^--\w+=/, '')))].sort(), offered);
      });
  });

  it('tells zsh and fish the words of every command, level by level', () => {
    const zsh = run(root, ['completion', 'zsh']).out;
    const fish = run(root, ['completion', 'fish']).out;
    for (const { name, summary } of commands) {
      const words = name.split(' ');
      const [last, before] = [words.at(-1)!, words.slice(0, -1).join(' ')];
      const at = `__sallyport_at${before === '' ? '' : ` ${before}`}`;
      assert.ok(fish.includes(`complete -c sallyport -f -n '${at}' -a ${last} -d '`), name);
      assert.ok(zsh.includes(`'${last}:${summary.replaceAll("'", "'\\''")}'`), name);
      assert.ok(zsh.includes(`\n    '${name}')\n      _arguments`), name);
    }
    // An option with a value takes it behind an equals sign too.
    assert.match(zsh, /'\*--format=\[/);
    assert.match(zsh, /'--no-ignore\[/);
  });

  it('refuses what is no shell', () => {
    assert.equal(run(root, ['completion', 'tcsh']).code, 3);
    assert.equal(run(root, ['completion']).code, 3);
  });
});

describe('the manual page', () => {
  it('names every command and option, and holds no stray request', () => {
    const page = manPage(commands);
    for (const { name, options } of commands) {
      assert.ok(page.includes(`.SS sallyport ${name.replaceAll('-', '\\-')}`));
      for (const option of options) assert.ok(page.includes(`\\-\\-${option.name.replaceAll('-', '\\-')}`));
    }
    for (const line of page.split('\n'))
      if (/^[.']/.test(line)) assert.match(line, /^\.(?:TH|SH|SS|TP|P|EX|EE)\b/);
  });
});

describe('checks --since', () => {
  it('lists what is newer, and refuses what is no version or not out yet', () => {
    const all = run(root, ['checks', '--since', '0.0.9']).out;
    assert.equal(all, run(root, ['checks']).out);
    assert.match(run(root, ['checks', '--since', 'v0.1.0']).out, /^\n0 checks/);
    for (const word of ['new', '1.0', '99.0.0']) {
      const { code, err } = run(root, ['checks', '--since', word]);
      assert.equal(code, 3);
      assert.match(err, /^sallyport: --since: /);
    }
  });
});
