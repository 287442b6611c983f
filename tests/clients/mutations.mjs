// What is done to a valid document. Each mutation changes the parsed document in place and says true, or answers another
// text; it says false where the document has no place for it.
import { parse, parseType, parseValue } from 'graphql';

const name = (value) => ({ kind: 'Name', value });
const literal = (text) => parseValue(text, { noLocation: true });
/** The tokens of a text; a type is one. */
const split = (text) => text.match(/\[?\w+!?(?:\]!?)?|"[^"]*"|\.\.\.|[^\s\w]/g);
const directive = (text) => {
  const [, of, argument] = /^@(\w+)(?:\((\w+: .*)\))?$/.exec(text);
  const [key, ...rest] = argument?.split(': ') ?? [];
  const args = key ? [{ kind: 'Argument', name: name(key), value: literal(rest.join(': ')) }] : [];
  return { kind: 'Directive', name: name(of), arguments: args };
};

export function mutations(tools) {
  const { schema, pick, below, value, print, getNamedType, getNullableType } = tools;
  const { isCompositeType, isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType } = tools;

  /** Does something to one of the places that fit. */
  const at = (fits, change) => (document) => {
    const fitting = document.places.filter(fits);
    if (!fitting.length) return false;
    return change(pick(fitting), document) ?? true;
  };
  const is = (...kinds) => ({ node }) => kinds.includes(node.kind);
  const field = ({ node, field }) => node.kind === 'Field' && field && !node.name.value.startsWith('__');
  const leaf = (place) => field(place) && isLeafType(getNamedType(place.field.type));
  const composite = (place) => field(place) && isCompositeType(getNamedType(place.field.type));
  const argument = ({ node, argument }) => node.kind === 'Argument' && argument;
  const literalOf = (...types) => ({ node, input }) =>
    ['Argument', 'ObjectField'].includes(node.kind) && input && node.value.kind !== 'Variable'
    && types.includes(String(getNullableType(input)));
  const becomes = (text) => ({ node }) => void (node.value = literal(text));
  const object = ({ node, input }) => node.kind === 'ObjectValue' && isInputObjectType(getNamedType(input));
  const typeOf = ({ input }) => getNamedType(input);
  const main = ({ document }) => document.definitions[0];
  const definition = (text) => (document) => `${document.text}\n${text}`;
  /** Adds a field to the query that is executed or stands beside it. */
  const inQuery = (added, behind = '') => ({ document }) => {
    const { selectionSet } = document.definitions.find((one) => one.operation === 'query');
    selectionSet.selections = [...parse(`{ ${added} }`).definitions[0].selectionSet.selections, ...selectionSet.selections];
    return print(document) + behind;
  };
  /** A query of its own, in place of the document. */
  const instead = (...texts) => () => pick(texts);
  /** A variable in place of an argument, of a type that is made of the argument's. */
  const variable = (fits, declare, fallback) =>
    at((place) => argument(place) && place.node.value.kind !== 'Variable' && fits(place.input), ({ node, input }, all) => {
      const of = main(all);
      // The value that is sent stays right for the declared type where one can be made.
      const written = declare(input, value(input));
      all.variables.w = written.json;
      of.name ??= name('Main');
      const variable = { kind: 'Variable', name: name('w') };
      const defaultValue = fallback ? literal(written.text) : undefined;
      const type = parseType(written.type);
      of.variableDefinitions.push({ kind: 'VariableDefinition', variable, type, defaultValue, directives: [] });
      node.value = variable;
    });
  const plain = (type) => String(getNullableType(type));

  return {
    'field: unknown': at(field, ({ node }) => void (node.name = name('nope'))),
    'field: of another type': at(leaf, ({ node }) => void (node.name = name('virtualExtensions'))),
    'field: a leaf with a selection': at(leaf, ({ node }) => {
      node.selectionSet = { kind: 'SelectionSet', selections: [{ kind: 'Field', name: name('a') }] };
    }),
    'field: an object without a selection': at(composite, ({ node }) => void delete node.selectionSet),
    'argument: unknown': at(field, ({ node }) => {
      node.arguments = [...node.arguments, { kind: 'Argument', name: name('nope'), value: literal('1') }];
    }),
    'argument: missing': at(
      ({ node, field }) => node.kind === 'Field'
        && field?.args.some((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined),
      ({ node, field }) => {
        const required = field.args.filter((arg) => isNonNullType(arg.type)).map((arg) => arg.name);
        node.arguments = node.arguments.filter((arg) => !required.includes(arg.name.value));
      },
    ),
    'argument: twice': at((place) => field(place) && place.node.arguments.length, ({ node }) => {
      node.arguments = [...node.arguments, node.arguments[0]];
    }),
    'argument: null for a required one': at(
      (place) => argument(place) && isNonNullType(place.input), becomes('null'),
    ),
    'literal: a text for Int': at(literalOf('Int'), becomes('"1"')),
    'literal: a fraction for Int': at(literalOf('Int'), becomes('1.5')),
    'literal: too large for Int': at(literalOf('Int'), becomes('2147483648')),
    'literal: a number for Boolean': at(literalOf('Boolean'), becomes('1')),
    'literal: a text for Boolean': at(literalOf('Boolean'), becomes('"true"')),
    'literal: a number for String': at(literalOf('String'), becomes('1')),
    'literal: a name for String': at(literalOf('String'), becomes('TEXT')),
    'literal: a list for String': at(literalOf('String'), becomes('["a"]')),
    'literal: an object for String': at(literalOf('String'), becomes('{a: "a"}')),
    'literal: a number for ID': at(literalOf('ID'), becomes('12')),
    'literal: a fraction for ID': at(literalOf('ID'), becomes('1.5')),
    'literal: a truth for ID': at(literalOf('ID'), becomes('true')),
    'literal: a name for ID': at(literalOf('ID'), becomes('NOBODY')),
    'literal: an unknown name for an enum': at(
      (place) => place.node.kind === 'EnumValue' && isEnumType(typeOf(place)),
      ({ node }) => void (node.value = 'NOPE'),
    ),
    'literal: a text for an enum': at(
      ({ node, input }) => ['Argument', 'ObjectField'].includes(node.kind) && node.value.kind === 'EnumValue'
        && isEnumType(getNamedType(input)),
      ({ node }) => void (node.value = literal(JSON.stringify(node.value.value))),
    ),
    'literal: a number for an enum': at(
      ({ node, input }) => ['Argument', 'ObjectField'].includes(node.kind) && node.value.kind === 'EnumValue'
        && isEnumType(getNamedType(input)),
      becomes('1'),
    ),
    'literal: one for a list': at(
      ({ node, input }) => ['Argument', 'ObjectField'].includes(node.kind) && isListType(getNullableType(input))
        && node.value.kind === 'ListValue' && node.value.values.length,
      ({ node }) => void (node.value = node.value.values[0]),
    ),
    'literal: null in a list of required ones': at(
      ({ node, input }) => node.kind === 'Argument' && isListType(getNullableType(input))
        && isNonNullType(getNullableType(input).ofType) && node.value.kind === 'ListValue',
      becomes('[null]'),
    ),
    'literal: a text for an object': at(
      ({ node, input }) => node.kind === 'Argument' && node.value.kind === 'ObjectValue'
        && isInputObjectType(getNamedType(input)),
      becomes('"text"'),
    ),
    'literal: a list for an object': at(
      ({ node, input }) => node.kind === 'Argument' && node.value.kind === 'ObjectValue'
        && isInputObjectType(getNullableType(input)),
      becomes('[1]'),
    ),
    'object: unknown field': at(object, ({ node }) => {
      node.fields = [...node.fields, { kind: 'ObjectField', name: name('nope'), value: literal('1') }];
    }),
    'object: unknown field beside an absent variable': at(
      (place) => object(place) && !typeOf(place).isOneOf && Object.values(typeOf(place).getFields()).length > 1,
      (place, all) => {
        const { node } = place;
        const open = Object.values(typeOf(place).getFields()).find((one) => !isNonNullType(one.type));
        if (!open || node.fields.some((one) => one.name.value === open.name)) return false;
        node.fields = [
          ...node.fields,
          { kind: 'ObjectField', name: name('nope'), value: literal('1') },
          { kind: 'ObjectField', name: name(open.name), value: { kind: 'Variable', name: name('w') } },
        ];
        const of = main(all);
        of.name ??= name('Main');
        const variable = { kind: 'Variable', name: name('w') };
        const type = parseType(String(open.type));
        of.variableDefinitions.push({ kind: 'VariableDefinition', variable, type, directives: [] });
        return true;
      },
    ),
    'object: a required field is missing': at(
      (place) => object(place)
        && Object.values(typeOf(place).getFields()).some((one) => isNonNullType(one.type) && one.defaultValue === undefined),
      (place) => {
        const { node } = place;
        const fields = typeOf(place).getFields();
        node.fields = node.fields.filter((one) => !isNonNullType(fields[one.name.value]?.type));
      },
    ),
    'object: a field twice': at((place) => object(place) && place.node.fields.length, ({ node }) => {
      node.fields = [...node.fields, node.fields[0]];
    }),
    'object: two of one': at((place) => object(place) && typeOf(place).isOneOf, (place) => {
      const { node } = place;
      const other = Object.values(typeOf(place).getFields()).find((one) => one.name !== node.fields[0].name.value);
      if (!other) return false;
      node.fields = [
        ...node.fields, { kind: 'ObjectField', name: name(other.name), value: literal(value(other.type).text) },
      ];
      return true;
    }),
    'object: none of one': at((place) => object(place) && typeOf(place).isOneOf, ({ node }) => void (node.fields = [])),
    'object: null of one': at((place) => object(place) && typeOf(place).isOneOf, ({ node }) => {
      node.fields[0].value = literal('null');
    }),
    'fragment: unknown': inQuery('...Nope'),
    'fragment: unused': (document) => `${document.text}\nfragment Unused on Tenant { id }`,
    'fragment: spreads itself': inQuery('...Round', '\nfragment Round on Query { __typename ...Round }'),
    'fragment: twice': inQuery(
      '...Twice', '\nfragment Twice on Query { __typename }\nfragment Twice on Query { __typename }',
    ),
    'fragment: on an unknown type': inQuery('... on Nope { id }'),
    'fragment: on an input': inQuery('...In', '\nfragment In on NoteInput { note }'),
    'fragment: on a scalar': inQuery('... on String { id }'),
    'fragment: on a type that cannot be': inQuery('... on Tenant { id }'),
    'fragment: spread where it cannot be': inQuery('...T', '\nfragment T on Tenant { id }'),
    'fragment: named on': definition('fragment on on Tenant { id }'),
    'fragment: with a comment behind on': instead('{ ... on # query\n Query { __typename } }'),
    'directive: unknown': at(field, ({ node }) => void (node.directives = [directive('@nope')])),
    'directive: twice': at(field, ({ node }) => {
      node.directives = [directive('@skip(if: false)'), directive('@skip(if: false)')];
    }),
    'directive: in a wrong place': (all) => {
      main(all).directives = [directive('@skip(if: false)')];
      main(all).name ??= name('Main');
      return true;
    },
    'directive: in a wrong place, on a fragment': at(is('FragmentDefinition'), ({ node }) => {
      node.directives = [directive('@include(if: true)')];
    }),
    'directive: on a variable': at(is('VariableDefinition'), ({ node }) => {
      node.directives = [directive('@include(if: true)')];
    }),
    'directive: unknown on a variable': at(is('VariableDefinition'), ({ node }) => {
      node.directives = [directive('@nope')];
    }),
    'directive: for the schema': at(field, ({ node }) => void (node.directives = [directive('@oneOf')])),
    'directive: without its argument': at(field, ({ node }) => void (node.directives = [directive('@skip')])),
    'directive: with an unknown argument': at(field, ({ node }) => {
      node.directives = [directive('@skip(unless: true)')];
    }),
    'directive: with a wrong argument': at(field, ({ node }) => void (node.directives = [directive('@skip(if: "no")')])),
    'typename: with an argument': inQuery('__typename(a: 1)'),
    'typename: with a selection': inQuery('__typename { a }'),
    'typename: with an unknown directive': inQuery('__typename @nope'),
    'typename: with a variable': instead('query Main($w: Boolean = true) { __typename @include(if: $w) }'),
    'variable: undefined': at((place) => argument(place), ({ node }) => {
      node.value = { kind: 'Variable', name: name('nope') };
    }),
    'variable: unused': at(is('VariableDefinition'), (_, all) => {
      const unused = { kind: 'Variable', name: name('unused') };
      const type = parseType('Int');
      main(all).variableDefinitions.push({ kind: 'VariableDefinition', variable: unused, type, directives: [] });
    }),
    'variable: of the same type': variable(() => true, (input, { json }) => ({ type: String(input), json })),
    'variable: twice': at(is('VariableDefinition'), ({ node }, all) => {
      main(all).variableDefinitions = [...main(all).variableDefinitions, node];
    }),
    'variable: of an unknown type': at(is('VariableDefinition'), ({ node }) => {
      node.type = parseType('Nope');
      delete node.defaultValue;
    }),
    'variable: of a list of an unknown type': at(is('VariableDefinition'), ({ node }) => {
      node.type = parseType('[Nope]');
      node.defaultValue = literal('[1]');
    }),
    'variable: of an output type': at(is('VariableDefinition'), ({ node }) => {
      node.type = parseType('Tenant');
      delete node.defaultValue;
    }),
    'variable: with a wrong default': () => 'query Main($w: Int = "x") { tenant { virtualExtensions(first: $w) { nodes { id } } } }',
    'variable: with null for a required default': () =>
      'query Main($w: Boolean! = null) { tenant @skip(if: $w) { id } }',
    'variable: of another type': variable(
      (input) => plain(input) === 'ID' || plain(input) === 'String' || plain(input) === 'Int',
      (input) => ({ type: isNonNullType(input) ? 'Boolean!' : 'Boolean', json: true }),
    ),
    'variable: nullable where it is required': variable(
      isNonNullType, (input, { text, json }) => ({ type: plain(input), text, json }),
    ),
    'variable: nullable with a default where it is required': variable(
      isNonNullType, (input, { text, json }) => ({ type: plain(input), text, json }), true,
    ),
    'variable: required where it may be null': variable(
      (input) => !isNonNullType(input), (input, { json }) => ({ type: `${input}!`, json }),
    ),
    'variable: a required list where it may be null': variable(
      (input) => isListType(input), (input, { json }) => ({ type: `${input}!`, json }),
    ),
    'variable: a list for one': variable(
      (input) => !isListType(getNullableType(input)), (input, { json }) => ({ type: `[${plain(input)}!]!`, json: [json] }),
    ),
    'variable: one for a list': variable(
      (input) => isListType(getNullableType(input)),
      (input) => ({ type: String(getNullableType(input).ofType), json: value(getNullableType(input).ofType).json }),
    ),
    'variable: a list that may hold null': variable(
      (input) => isListType(getNullableType(input)) && isNonNullType(getNullableType(input).ofType),
      (input) => ({ type: `[${getNullableType(input).ofType.ofType}]!`, json: [] }),
    ),
    'conflict: different fields': inQuery('c: tenants { id } c: node(id: "n") { id }'),
    'conflict: different arguments': inQuery('d: node(id: "n") { id } d: node(id: "m") { id }'),
    'conflict: one without arguments': inQuery('d: tenant(code: "A") { id } d: tenant { id }'),
    'conflict: in fields of the same field': inQuery('e: tenants { a: name } e: tenants { a: code }'),
    'conflict: in a fragment': inQuery('f: tenants { id } ...Other', '\nfragment Other on Query { f: node(id: "n") { id } }'),
    'conflict: in fragments of the same field': inQuery(
      'g: tenants { ...G }', '\nfragment G on Tenant { a: name ... on Tenant { a: code } }',
    ),
    'conflict: shapes of different types': inQuery(
      'h: node(id: "n") { ... on Tenant { x: name } ... on VirtualExtension { x: version } }',
    ),
    'conflict: none between types that exclude each other': inQuery(
      'i: node(id: "n") { ... on Tenant { x: id } ... on Queue { y: version x: id } ... on VirtualExtension { x: id y: version } }',
    ),
    'merge: the same field twice': inQuery('j: tenants { id } j: tenants { name id }'),
    ...(schema.getSubscriptionType() && {
      'subscription: a directive at its root': at(
        ({ node }) => node.kind === 'OperationDefinition' && node.operation === 'subscription',
        ({ node }) => void (node.selectionSet.selections[0].directives = [directive('@include(if: true)')]),
      ),
      'subscription: two fields': at(
        ({ node }) => node.kind === 'OperationDefinition' && node.operation === 'subscription',
        ({ node }) => {
          const twin = { ...node.selectionSet.selections[0], alias: name('twin') };
          node.selectionSet = { kind: 'SelectionSet', selections: [node.selectionSet.selections[0], twin] };
        },
      ),
    }),
    'operation: the same name twice': (document) => `${document.text}\nquery Read { tenants { id } }\nquery Read { __typename }`,
    'operation: without a name among others': (document) => `${document.text}\n{ __typename }`,
    'operation: none': () => 'fragment F on Query { __typename }',
    'introspection: right': inQuery('__type(name: "Tenant") { name fields { name type { name ofType { name } } } }'),
    'introspection: wrong': instead(
      '{ __type { name } }', '{ __schema { nope } }', '{ __type(name: 1) { name } }', '{ tenant { __schema { types { name } } } }',
    ),
    'text: a token left out': ({ text }) => {
      const tokens = split(text);
      tokens.splice(below(tokens.length), 1);
      return tokens.join(' ');
    },
    'text: a token twice': ({ text }) => {
      const tokens = split(text);
      const index = below(tokens.length);
      tokens.splice(index, 0, tokens[index]);
      return tokens.join(' ');
    },
    'text: two tokens in the wrong order': ({ text }) => {
      const tokens = split(text);
      const index = below(tokens.length - 1);
      tokens.splice(index, 2, tokens[index + 1], tokens[index]);
      return tokens.join(' ');
    },
    'text: white space within a type': (all) => {
      all.variables.w = true;
      return 'query Main($w: Boolean !) { tenants @skip(if: $w) { id } }';
    },
    'text: white space, commas, marks and comments': ({ text }) =>
      `\ufeff${text.replace(/(\bon)? /g, (_, on) => (on ? 'on ' : pick([' ', ',', '\n', '\r\n', '\t', ' # { "\n'])))}`,
    'text: a keyword grown together with a name': instead('queryMain { __typename }', 'query Main { __typename }fragmentF on Query { id }'),
    'text: nothing': instead('', ' ', '# nothing', ','),
    'text: a definition of a schema': definition('type Nope { id: ID }'),
    'text: an empty selection': instead('{ }', '{ tenants { } }', 'query Main { tenants { id {} } }'),
    'text: empty parentheses': instead('{ tenants() { id } }', '{ tenant(code: "A") @skip() { id } }', 'query Main() { __typename }'),
    'string: escapes': instead(
      String.raw`{ node(id: "\u00e9\n\t\"\\\/") { id } }`, '{ node(id: """a "quoted" \\""" text\n  b""") { id } }',
      '{ node(id: """""") { id } }', '{ node(id: "") { id } }', '{ node(id: "# {") { id } }',
    ),
    'string: a surrogate pair': instead(String.raw`{ node(id: "\uD83D\uDE00") { id } }`),
    'string: an escape with braces': instead(String.raw`{ node(id: "\u{1F600}") { id } }`),
    'string: half a surrogate pair': instead(String.raw`{ node(id: "\uD83D") { id } }`),
    'string: a wrong escape': instead(String.raw`{ node(id: "\x") { id } }`, String.raw`{ node(id: "\u00g0") { id } }`),
    'string: no end': instead('{ node(id: "a) { id } }', '{ node(id: "a\n") { id } }', '{ nodes(ids: ["""a"]) { id } }'),
    'number: right': instead('{ tenant { virtualExtensions(first: 0) { nodes { id } } } }', '{ tenant { virtualExtensions(first: 10) { nodes { id } } } }'),
    'number: zeros before it': instead('{ tenant { virtualExtensions(first: 010) { nodes { id } } } }'),
    'number: followed by a name': instead('{ tenant { virtualExtensions(first: 10after: "x") { nodes { id } } } }'),
    'number: not whole': instead('{ tenant { virtualExtensions(first: 1.) { nodes { id } } } }'),
    'name: begins with true': instead('{ tenant { virtualExtensions(orderBy: {field: trueish}) { nodes { id } } } }', '{ tenants { trueish: id nullable: name } }'),
  };
}
