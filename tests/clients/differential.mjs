// Writes documents over the schema, one JSON line each: what it is, the document, its variables, and what graphql-js
// says about it. `node differential.mjs SCHEMA SEED COUNT`. A document begins valid; its kind says what was done to it.
import { readFileSync } from 'node:fs';
import {
  buildSchema, getNamedType, getNullableType, isAbstractType, isCompositeType, isEnumType, isInputObjectType,
  isLeafType, isListType, isNonNullType, isRequiredArgument, isRequiredInputField, parse, print,
  TypeInfo, validate, visit, visitWithTypeInfo,
} from 'graphql';
import { random } from './random.mjs';
import { mutations } from './mutations.mjs';

const [path, seed, count] = process.argv.slice(2);
const schema = buildSchema(readFileSync(path, 'utf8'));
const { chance, below, pick } = random(Number(seed));

/** What a custom scalar holds, as a literal and in JSON. */
const SCALARS = {
  Int: 20, Float: 1.5, Boolean: true, ID: 'nobody', String: 'text', Seconds: 30, CallerIdNumber: '108',
  DateTime: '2026-11-23T09:00:00Z', DialNumber: '0451234567', EmailAddress: 'ivy@example.com', ExtensionNumber: '108',
  KeypadKey: '5', MacAddress: '00:04:13:a0:b1:c2', Pattern: '^4', PhoneNumber: '+390451234567', TimeOfDay: '09:30',
};

/** A value of an input type: its literal and its JSON. */
function value(type, depth = 2) {
  if (isNonNullType(type)) return value(type.ofType, depth);
  if (isListType(type)) {
    const items = Array.from({ length: below(3) }, () => value(type.ofType, depth));
    return { text: `[${items.map((item) => item.text).join(', ')}]`, json: items.map((item) => item.json) };
  }
  if (isEnumType(type)) {
    const { name } = pick(type.getValues());
    return { text: name, json: name };
  }
  if (isInputObjectType(type)) {
    const all = Object.values(type.getFields());
    const some = all.filter((field) => isRequiredInputField(field) || (depth > 0 && chance(2 / all.length)));
    const simple = all.filter((field) => !isInputObjectType(getNamedType(field.type)));
    const fields = type.isOneOf ? [pick(simple.length ? simple : all)] : some;
    const entries = fields.map((field) => [field.name, value(field.type, depth - 1)]);
    return {
      text: `{${entries.map(([name, { text }]) => `${name}: ${text}`).join(', ')}}`,
      json: Object.fromEntries(entries.map(([name, { json }]) => [name, json])),
    };
  }
  if (!(type.name in SCALARS)) throw new Error(`No value is known for the scalar ${type.name}.`);
  const json = SCALARS[type.name];
  return { text: JSON.stringify(json), json };
}

/** Writes a valid document. */
class Writer {
  constructor() {
    this.names = 0;
    this.room = 12;
    this.definitions = [];
    this.json = {};
    this.fragments = [];
  }

  name(prefix) {
    this.names += 1;
    return `${prefix}${this.names}`;
  }

  argument(type) {
    const written = value(type);
    if (!chance(0.3)) return written.text;
    const name = this.name('v');
    const fallback = !isNonNullType(type) && chance(0.3) ? ` = ${written.text}` : '';
    this.definitions.push(`$${name}: ${type}${fallback}`);
    this.json[name] = written.json;
    return `$${name}`;
  }

  directive() {
    if (!chance(0.1)) return '';
    return ` @${pick(['skip', 'include'])}(if: ${this.argument(schema.getDirective('skip').args[0].type)})`;
  }

  field(field, depth, apart, bare = false) {
    const args = field.args.filter((arg) => isRequiredArgument(arg) || chance(0.3));
    const written = args.map((arg) => `${arg.name}: ${this.argument(arg.type)}`);
    // What has arguments, or stands on one type among several, has a name of its own, so that nothing conflicts.
    const alias = written.length || apart || chance(0.1) ? `${this.name('a')}: ` : '';
    const type = getNamedType(field.type);
    const inner = isCompositeType(type) ? ` ${this.selection(type, depth - 1)}` : '';
    return `${alias}${field.name}${written.length ? `(${written.join(', ')})` : ''}${bare ? '' : this.directive()}${inner}`;
  }

  selection(type, depth, apart = false) {
    const fields = Object.values(type.getFields?.() ?? {})
      .filter((field) => isLeafType(getNamedType(field.type)) || (depth > 0 && this.room > 0));
    const chosen = new Set(Array.from({ length: 1 + below(4) }, () => (fields.length ? pick(fields) : null)));
    chosen.delete(null);
    const written = [...chosen].map((field) => {
      this.room -= 1;
      return this.field(field, depth, apart);
    });
    if (!written.length || chance(0.2)) written.push('__typename');
    const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    if (this.room > 0 && chance(0.25)) {
      const on = pick([type, ...types]);
      this.room -= 2;
      const inner = this.selection(on, depth - 1, true);
      if (chance(0.5)) {
        written.push(`...${on === type && chance(0.3) ? '' : ` on ${on}`}${this.directive()} ${inner}`);
      } else {
        const name = this.name('F');
        this.fragments.push(`fragment ${name} on ${on} ${inner}`);
        written.push(`...${name}${this.directive()}`);
      }
    }
    return `{ ${written.join(' ')} }`;
  }

  /** Fields of the root that lead somewhere are worth more than its many plans. */
  document() {
    const types = { query: schema.getQueryType(), mutation: schema.getMutationType() };
    const others = schema.getSubscriptionType() ? ['mutation', 'subscription'] : ['mutation'];
    types.subscription = schema.getSubscriptionType();
    const operation = chance(0.7) ? 'query' : pick(others);
    const reads = operation === 'query';
    const fields = types[operation].getFields();
    const known = reads && chance(0.7) ? ['tenant', 'tenants', 'node', 'nodes'] : Object.keys(fields);
    // The one field of a subscription has no directive (section 5.2.4.1).
    const field = this.field(fields[pick(known)], 4, false, operation === 'subscription');
    const inner = reads && chance(0.1) ? `${field} __typename` : field;
    const variables = this.definitions.length ? `(${this.definitions.join(', ')})` : '';
    const named = !reads || variables || chance(0.5) ? `${operation} Main${variables} ` : '';
    // What does more than read is validated beside a query, which is what is executed.
    const beside = reads ? [] : ['query Read { __typename }'];
    const operationName = reads ? undefined : 'Read';
    const text = [`${named}{ ${inner} }`, ...this.fragments, ...beside].join('\n');
    return { text, variables: this.json, operationName };
  }
}

/** Every node of a document with what the schema says about its place. */
function places(document) {
  const found = [];
  const info = new TypeInfo(schema);
  visit(document, visitWithTypeInfo(info, {
    enter(node, _key, parent) {
      found.push({
        node, parent, type: info.getType(), parentType: info.getParentType(), input: info.getInputType(),
        field: info.getFieldDef(), argument: info.getArgument(),
      });
    },
  }));
  return found;
}

const tools = {
  schema, below, pick, value, print, getNamedType, getNullableType, isCompositeType, isEnumType,
  isInputObjectType, isLeafType, isListType, isNonNullType,
};
const kinds = Object.entries(mutations(tools));

/** The errors of graphql-js, without what it has no rule for. */
function errors(text) {
  try {
    return validate(schema, parse(text)).map((error) => error.message);
  } catch (error) {
    return [error.message];
  }
}

// One in eight is left as it is; the others take the kinds in turn, so that each is made whatever their number.
let turn = 0;
for (let index = 0; index < Number(count); index += 1) {
  let made;
  if (index % 8) turn += 1;
  while (!made) {
    const { text, variables, operationName } = new Writer().document();
    const wrong = errors(text);
    // For its rule of a subscription's single field graphql-js asks for the values of variables, which are not there yet.
    if (wrong.some((error) => error.includes('was not provided a runtime value'))) continue;
    if (wrong.length) throw new Error(`The generator is wrong: ${wrong[0]}\n${text}`);
    if (index % 8 === 0) {
      made = { kind: 'valid', text, variables, operationName };
      break;
    }
    const [kind, mutate] = kinds[turn % kinds.length];
    const document = parse(text);
    const changed = mutate({ document, places: places(document), text, variables });
    if (changed) {
      made = { kind, text: typeof changed === 'string' ? changed : print(document), variables, operationName };
    }
  }
  const { text: query, kind, variables } = made;
  const operationName = /\bRead\b/.test(query) ? made.operationName : undefined;
  const found = errors(query);
  process.stdout.write(`${JSON.stringify({ kind, query, variables, operationName, errors: found.slice(0, 3) })}\n`);
}
