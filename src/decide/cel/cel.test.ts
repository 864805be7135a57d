import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AUTHORIZER, AuthorizerValue } from './authorizer.ts';
import { compile, type Declarations, isUnknown } from './cel.ts';
import { CelCompileError } from './issues.ts';
import { BOOL, DYN, objectOf, STRING, typeText } from './types.ts';
import { CelError, CelUnknown, type CelValue, fromJson, LazyObject, toJson } from './values.ts';

const NO_VARIABLES: Declarations = { variables: {} };

function evaluate(expression: string, object?: unknown): CelValue {
  return compile(expression, { variables: { object: DYN } }).evaluate({ object: fromJson(object ?? null) })
    .value;
}

function refused(expression: string, declarations = NO_VARIABLES): string {
  try {
    compile(expression, declarations);
  } catch (error) {
    assert.ok(error instanceof CelCompileError);
    return error.message;
  }
  return assert.fail(`${expression} is not refused`);
}

describe('the functions of Kubernetes', () => {
  const TRUE = [
    `[1, 2, 3].isSorted() && !['b', 'a'].isSorted()`,
    `[1, 2, 3].sum() == 6 && [1.5, 2.0].sum() == 3.5`,
    `[3, 1, 2].min() == 1 && ['a', 'c', 'b'].max() == 'c'`,
    `[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1`,
    `[1, 2].includes(2) && 5.includes(5)`,
    `'abc 123 def 456'.find('[0-9]+') == '123'`,
    `'123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '1 2 3'.findAll('[0-9]', 2) == ['1', '2']`,
    `'x'.find('y') == ''`,
    `url('https://user:pass@example.com:8080/a%20b?x=1&x=2&y=#f').getHost() == 'example.com:8080'`,
    `url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80'`,
    `url('https://e.com/a?x=1&x=2').getQuery() == {'x': ['1', '2']}`,
    `url('https://e.com/a b').getEscapedPath() == '/a%20b'`,
    `url('/path').getScheme() == '' && isURL('https://a:80/') && !isURL('../x') && !isURL('https://a:b/')`,
    `quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('100m').isLessThan(quantity('1'))`,
    `quantity('1k').asInteger() == 1000 && !quantity('50m').isInteger() && quantity('50k').add(20) == quantity('50020')`,
    `quantity('50k').sub(quantity('20k')) == quantity('30000') && sign(quantity('-1')) == -1`,
    `quantity('200M').compareTo(quantity('0.2G')) == 0 && isQuantity('1.3Gi') && !isQuantity('1.3GiB')`,
    `quantity('1e3') == quantity('1k') && quantity('0.5') == quantity('500m')`,
    `ip('127.0.0.1').isLoopback() && ip('fe80::1').isLinkLocalUnicast() && ip('ff02::1').isLinkLocalMulticast()`,
    `ip('224.0.0.1').isLinkLocalMulticast() && ip('0.0.0.0').isUnspecified() && ip('8.8.8.8').isGlobalUnicast()`,
    `!isIP('127.0.0.01') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0') && isIP('::1')`,
    `ip('1.2.3.4').family() == 4 && ip('::1').family() == 6 && string(ip('2001:DB8:0:0:0:0:0:1')) == '2001:db8::1'`,
    `ip.isCanonical('127.0.0.1') && !ip.isCanonical('2001:DB8::1')`,
    `cidr('192.168.0.0/16').containsIP('192.168.1.1') && !cidr('192.168.0.0/16').containsIP(ip('10.0.0.1'))`,
    `cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))`,
    `cidr('192.168.1.7/24').masked() == cidr('192.168.1.0/24') && cidr('::1/128').prefixLength() == 128`,
    `cidr('192.168.1.7/24').ip() == ip('192.168.1.7') && isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/33')`,
    `!format.dns1123Label().validate('my-name').hasValue() && format.dns1123Label().validate('My').hasValue()`,
    `format.named('qualifiedName').value().validate('a/b/c').hasValue() && !format.named('nothing').hasValue()`,
    `!format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()`,
    `!format.dns1123LabelPrefix().validate('abc-').hasValue() && !format.date().validate('2024-02-29').hasValue()`,
    `semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))`,
    `semver('v01.2', true) == semver('1.2.0') && isSemver('1.2.3-alpha+b') && !isSemver('1.2')`,
    `semver('1.2.3').major() == 1 && semver('1.2.3').compareTo(semver('1.2.3')) == 0`,
    `sets.contains([1, 2, 3], [3, 1]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2])`,
    `{'a': 1}.all(k, v, k == 'a' && v == 1) && ['x'].exists(i, v, i == 0 && v == 'x')`,
    `{'a': 1}.transformMap(k, v, v + 1) == {'a': 2} && [1, 2].transformList(i, v, i + v) == [1, 3]`,
    `{'a': 'x'}.transformMapEntry(k, v, {v: k}) == {'x': 'a'}`,
    `[3, 1, 2].sort() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && [[1], [2]].flatten() == [1, 2]`,
    `['bb', 'a'].sortBy(x, x.size()) == ['a', 'bb'] && [1, 2].reverse() == [2, 1] && [1, 2, 3].slice(1, 2) == [2]`,
    `'%s has %d (%.2f)'.format([dyn('x'), 3, 1.5]) == 'x has 3 (1.50)'`,
    `'äbc'.charAt(1) == 'b' && 'äbc'.substring(1) == 'bc' && ' x '.trim() == 'x' && 'a,b'.split(',') == ['a', 'b']`,
    `['a', 'b'].join('-') == 'a-b' && 'aXbX'.replace('X', '', 1) == 'abX' && 'ABC'.lowerAscii() == 'abc'`,
    `duration('90m').getHours() == 1 && timestamp('2024-05-01T12:00:00Z').getHours('+02:00') == 14`,
    `timestamp('2024-07-01T12:00:00Z').getHours('Europe/Berlin') == 14`,
    `optional.of(1).optMap(x, x + 1).orValue(0) == 2 && optional.none().orValue('x') == 'x'`,
    `{?'a': optional.none(), 'b': 1} == {'b': 1} && [?optional.of(1)] == [1]`,
    `dyn(1) == 1.0 && dyn(1u) == 1 && 1 < 1.5 && type(1) == int && type(ip('::1')) == net.IP`,
  ];
  for (const expression of TRUE)
    it(expression, () => {
      assert.equal(evaluate(expression), true);
    });
});

describe('objects', () => {
  const object = {
    metadata: { name: 'x', labels: { app: 'web', 'a/b': '1' } },
    spec: { replicas: 3, ratio: 0.5, nothing: null, containers: [{ name: 'a', ports: [80] }, { name: 'b' }] },
  };

  it('are maps, their whole numbers ints', () => {
    assert.equal(evaluate('object.spec.replicas + 1 == 4 && object.spec.ratio == 0.5', object), true);
    assert.equal(
      evaluate("object.metadata.labels['a/b'] == '1' && 'app' in object.metadata.labels", object),
      true,
    );
    assert.equal(evaluate('has(object.spec.nothing) && object.spec.nothing == null', object), true);
    assert.equal(
      evaluate('object.spec.containers.filter(c, has(c.ports)).map(c, c.name) == ["a"]', object),
      true,
    );
    assert.equal(evaluate("object.?spec.?absent.orValue('none') == 'none'", object), true);
    assert.equal(evaluate('object.spec.containers[?5].hasValue() == false', object), true);
  });

  it('have errors where a key is missing, and || and && get past them', () => {
    const missing = evaluate('object.spec.absent == 1', object);
    assert.ok(missing instanceof CelError);
    assert.equal(missing.message, 'no such key: absent');
    assert.equal(evaluate('object.spec.absent == 1 || true', object), true);
    assert.equal(evaluate('true || object.spec.absent == 1', object), true);
    assert.equal(evaluate('object.spec.absent == 1 && false', object), false);
    assert.equal(evaluate('object.spec.containers.exists(c, c.ports[0] == 80)', object), true);
    assert.ok(evaluate('object.spec.containers.all(c, c.ports[0] == 80)', object) instanceof CelError);
  });

  it('do not reach what JavaScript knows about them', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'length'])
      assert.equal(evaluate(`has(object.${name}) || '${name}' in object`, object), false, name);
    assert.equal(
      (evaluate('object.spec.containers.length', object) as CelError).message,
      "unsupported index type 'string' in list",
    );
  });

  it('survive a key that is special in JavaScript', () => {
    assert.equal(evaluate('object.__proto__.x', JSON.parse('{"__proto__": {"x": 1}}')), 1n);
    assert.deepEqual(toJson(fromJson(object)), object);
  });
});

describe('mistakes', () => {
  const request = {
    variables: { request: objectOf('Request', { user: STRING, object: DYN }) },
  };

  it('are told as the API server tells them', () => {
    assert.equal(
      refused('request.foo == 1', request),
      "ERROR: <input>:1:8: undefined field 'foo'\n | request.foo == 1\n | .......^",
    );
    assert.match(refused('nothing'), /undeclared reference to 'nothing' \(in container ''\)/);
    assert.match(refused('1 + "a"'), /found no matching overload for '_\+_' applied to '\(int, string\)'/);
    assert.match(refused('request.user.startsWith(1)', request), /'startsWith' applied to 'string\.\(int\)'/);
    assert.match(refused('[1, "a"]'), /expected type 'int' but found 'string'/);
    assert.match(refused('"a".matches("(")'), /invalid matches argument/);
    assert.match(refused('duration("1 hour")'), /invalid duration argument/);
    assert.match(refused('true\n  && )'), /<input>:2:6: Syntax error/);
  });

  it('of hostile text end in bounded time', () => {
    assert.match(refused('('.repeat(10_000)), /recursion limit/);
    assert.match(refused(`${'1+'.repeat(5_000)}1`), /recursion limit/);
    assert.match(refused('x'.repeat(100_001)), /exceeds limit/);
    for (const text of [
      '',
      '"',
      "'''",
      'a.',
      'a[',
      '{',
      '1e',
      '\\',
      '"\\x"',
      'b"\\u0041"',
      '#',
      'a ? b',
      'has(a)',
      '9'.repeat(40),
    ])
      refused(text);
    const chain = Array.from({ length: 5_000 }, () => 'true').join(' && ');
    assert.equal(evaluate(chain), true);
  });

  it('of a release are those of its libraries', () => {
    const compileAt = (expression: string, kubernetesMinor: number) =>
      compile(expression, { variables: {}, kubernetesMinor });
    assert.throws(() => compileAt("isIP('::1')", 29), CelCompileError);
    compileAt("isIP('::1')", 30);
    assert.throws(() => compileAt("semver('1.0.0').major() == 1", 32), CelCompileError);
    assert.throws(() => compileAt('[1].includes(1)', 36), CelCompileError);
  });
});

describe('cost', () => {
  it('stops an expression that is too dear', () => {
    const list = fromJson(Array.from({ length: 2_000 }, (_, i) => i));
    const { value } = compile('x.all(a, x.all(b, a + b >= 0))', { variables: { x: DYN } }).evaluate({
      x: list,
    });
    assert.equal((value as CelError).message, 'operation cancelled: actual cost limit exceeded');
  });

  it('is counted as the API server counts it', () => {
    const cost = (expression: string, object: unknown) =>
      compile(expression, { variables: { object: DYN } }).evaluate({ object: fromJson(object) }).cost;
    assert.equal(cost('true', null), 0);
    assert.equal(cost('object.a.b', { a: { b: 1 } }), 3);
    assert.equal(cost("object.a == 'x'", { a: 'x' }), 3);
    assert.equal(cost("object.a in ['x', 'y']", { a: 'x' }), 2);
  });
});

describe('what is not known', () => {
  it('is neither true nor false, unless the rest decides', () => {
    const variables = { lazy: objectOf('Lazy', { x: BOOL }), yes: BOOL };
    const lazy = new LazyObject('Lazy', new Set(['x']), () => new CelUnknown('nobody knows'));
    const run = (expression: string) =>
      compile(expression, { variables }).evaluate({ lazy, yes: true }).value;
    assert.ok(isUnknown(run('lazy.x')));
    assert.ok(isUnknown(run('lazy.x && yes')));
    assert.ok(isUnknown(run('1 / 0 == 1 || lazy.x')));
    assert.equal(run('lazy.x || yes'), true);
    assert.equal(run('lazy.x && !yes'), false);
  });

  it('comes from an authorizer that does not know, too', () => {
    const program = compile("authorizer.group('').resource('pods').check('get').allowed()", {
      variables: { authorizer: AUTHORIZER },
    });
    assert.equal(typeText(program.output), 'bool');
    const ask = (decision: 'allow' | 'no-opinion' | 'unknown') =>
      program.evaluate({
        authorizer: AuthorizerValue.of(check => ({ decision, reason: `${check.verb} ${check.resource}` }), {
          name: 'x',
        }),
      }).value;
    assert.equal(ask('allow'), true);
    assert.equal(ask('no-opinion'), false);
    assert.ok(isUnknown(ask('unknown')));
  });
});

/** Found by random expressions: each answer is that of the API server's own environment (apiserver v0.37.2). */
describe('the environment of Kubernetes', () => {
  const TRUE = [
    `'%.2f'.format([1234567.5]) == '1,234,567.50' && '%e'.format([1234567.5]) == '1.234568×10⁰⁶'`,
    `'%.0f'.format([2.5]) == '2' && '%.1f'.format([999.96]) == '1,000.0' && '%.2f'.format([-0.0]) == '0.00'`,
    `'%e'.format([-double('Infinity')]) == '    -∞' && '%f'.format(['NaN']) == 'NaN'`,
    `'%s'.format([['a', 'é']]) == '["a", "é"]' && '%s'.format([[1.5]]) == '[1.500000]'`,
    `'%s'.format([{'b': dyn(duration('1h')), 'a': dyn(1u)}]) == '{"a":1, "b":duration("3600s")}'`,
    `!quantity('1000m').isInteger() && !quantity('1.5Gi').isInteger() && quantity('1Gi').isInteger()`,
    `quantity('16Ei') == quantity('9223372036854775807') && isQuantity('.e3') && !isQuantity('Ei')`,
    `'abc'.indexOf('b', 9) == -1 && 'abc'.indexOf('', 9) == 3 && 'abc'.lastIndexOf('b', 3) == -1`,
    `duration('90m').getMilliseconds() == 5400000`,
    `timestamp('2024-05-01T12:00:00Z').getHours('-8:00') == 4`,
    `!has(object.name.x) && !object.name.?x.hasValue() && !object.?name.x.hasValue()`,
    `[dyn(1), dyn('a')].isSorted() && [dyn(1), dyn('a')].max() == 1`,
    `semver('18446744073709551615.0.0').major() > 0 || true`,
    `duration('-2562047h47m16.854775808s') < duration('0')`,
    `isURL('*') && url('*').getEscapedPath() == '*'`,
    `string(timestamp('2024-05-01T12:00:00.5+02:00') + duration('1s')) == '2024-05-01T12:00:01.5+02:00'`,
    `timestamp('2024-05-01T12:00:00+02:00').getHours() == 10`,
    `quantity('0').add(1) == quantity('1') && quantity('1') != quantity('0').add(1)`,
    `[quantity('1')] == [quantity('0').add(1)] && !(quantity('1') in [quantity('0').add(1)])`,
  ];
  for (const expression of TRUE)
    it(expression, () => assert.equal(evaluate(expression, { name: 'x', list: [1] }), true));

  const ERRORS: Readonly<Record<string, string>> = {
    'int(object.name)': "type conversion error from 'string' to 'int'",
    'object.name.x': 'no such key: x',
    'has(object.list.x)': "unsupported index type 'string' in list",
    'object.list[1.5]': 'unsupported index value 1.5 in list',
    'object.name.family()': 'no such overload: family(string)',
    'object.absent.x': 'no such key: absent',
    'object < 1': 'no such overload: _<_',
    "quantity('1') == quantity('0').add(1)": 'no such overload',
    "ip('::1') == dyn('a')": 'no such overload',
    "timestamp(0).getHours('utc')": 'unknown time zone utc',
    'object.name.all(c, true)': "got 'types.String', expected iterable type",
    'lists.range(-1)': 'lists.range: size must be non-negative, got -1',
    "ip('1.2.3')":
      'IP Address "1.2.3" parse error during conversion from string: ParseAddr("1.2.3"): IPv4 address too short',
    "semver('1.02.3')": 'Minor number must not contain leading zeroes "02"',
    "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')": 'integer overflow',
  };
  for (const [expression, message] of Object.entries(ERRORS))
    it(`${expression} is an error`, () => {
      const value = evaluate(expression, { name: 'x', list: [1] });
      assert.ok(value instanceof CelError);
      assert.equal(value.message, message);
    });

  const REFUSED: Readonly<Record<string, string>> = {
    '[1, object.x]': "expected type 'int' but found 'dyn'",
    "{'a': 1, 'b': object.x}": "expected type 'int' but found 'dyn'",
    "'%s'.format([])": 'index 0 out of range',
    "'a'.format([1])": 'too many arguments supplied to string.format (expected 0, got 1)',
    "'%d'.format(['a'])":
      'error during formatting: decimal clause can only be used on integers, was given string',
    'true || uint(-1) == 1u': 'program instantiation failed: unsigned integer overflow',
    "'a'.find('[') == ''": 'program instantiation failed: error parsing regexp: missing closing ]: `[`',
    '[1].existsOne(x, true)': "undeclared reference to 'existsOne' (in container '')",
    'kubernetes.Quantity == int': "undeclared reference to 'kubernetes' (in container '')",
    'duration(5)': "found no matching overload for 'duration' applied to '(int)'",
    '[[1]].sort()': "found no matching overload for 'sort' applied to 'list(list(int)).()'",
  };
  for (const [expression, message] of Object.entries(REFUSED))
    it(`${expression} is refused`, () => {
      const said = refused(expression, { variables: { object: DYN } });
      assert.ok(said.includes(message), said);
    });

  it('lets what format gets be of several types', () => {
    assert.equal(evaluate("'%s %d'.format([dyn('a'), 1])"), 'a 1');
  });

  it('marks wide characters with wide marks', () => {
    assert.match(refused("'é' + 1"), /\n \| \.．\.\.\^$/);
  });
});
