// Gives the one-letter names of a minified script that compress best: a minifier gives the shortest ones, but which letters
// stand beside which words makes one byte of twelve. Only letters change places, so that the script stays as long as it
// was, and its source map true.

import { parse } from 'acorn';
import { deflateRaw } from 'pako';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$'].map((letter) => letter.charCodeAt(0));

// How much worse, in bytes, a script may become for a while: at first, and in the end.
const WARM = 0.3;
const COLD = 0.05;

/** `known`, if it is `code` but for the names; else nothing. What was searched for long need not be searched for again. */
export function adopt(code, known) {
  if (known.length !== code.length) return undefined;
  const bytes = Buffer.from(known);
  const original = Buffer.from(code);
  const variables = analyse(code);
  for (const variable of variables) {
    variable.name = bytes[variable.starts[0]];
    if (variable.starts.some((start) => bytes[start] !== variable.name)) return undefined;
    for (const start of variable.starts) bytes[start] = original[start];
  }
  return bytes.equals(original) && variables.every(isClear) ? known : undefined;
}

/**
 * `code`, which is ASCII, with other names: those of `known`, an earlier one, for what was in it, and from there by
 * annealing, after so many attempts to find better ones. The same input gets the same names.
 */
export function rename(code, known, attempts) {
  const variables = analyse(code);
  const bytes = Buffer.from(code);
  const random = generator();
  const pick = (list) => list[Math.floor(random() * list.length)];
  const put = (variable, name) => {
    variable.name = name;
    for (const start of variable.starts) bytes[start] = name;
  };
  /** Gives the name to the variable, and its old one to those that have it and are in the way; or says what is still in the way. */
  const exchange = (variable, wanted) => {
    const { name } = variable;
    const others = variable.rivals.filter((rival) => rival.name === wanted);
    const swap = (mine, theirs) => {
      put(variable, mine);
      for (const other of others) put(other, theirs);
    };
    swap(wanted, name);
    const undo = () => swap(name, wanted);
    if (isClear(variable) && others.every(isClear)) return undo;
    undo();
    return undefined;
  };

  // One exchange may be in another's way.
  const wishes = wishesFrom(code, variables, known);
  for (let round = 0; round < 6; round += 1) {
    for (const [variable, name] of wishes) if (variable.name !== name) exchange(variable, name);
  }

  let size = sizeOf(bytes);
  let best = { size, code: bytes.toString() };
  for (let i = 0; i < attempts; i += 1) {
    const variable = pick(variables);
    const wanted = random() < 0.25 ? pick(LETTERS) : pick(variables).name;
    const undo = wanted !== variable.name && exchange(variable, wanted);
    if (!undo) continue;
    const next = sizeOf(bytes);
    const warmth = WARM * (COLD / WARM) ** (i / attempts);
    if (next <= size || random() < Math.exp((size - next) / warmth)) {
      size = next;
      if (size < best.size) best = { size, code: bytes.toString() };
    } else undo();
  }
  return best.code;
}

/** The names that variables have in `known`: each is found again by what stands around it, in the same order. */
function wishesFrom(code, variables, known) {
  const earlier = analyse(known);
  const surroundings = (text) => ({ starts }) => starts.slice(0, 3)
    .map((start) => `${text.slice(Math.max(0, start - 6), start)} ${text.slice(start + 1, start + 7)}`.replace(/(?<![\w$])[\w$](?![\w$])/g, ' ')).join();
  const was = earlier.map(surroundings(known));
  const is = variables.map(surroundings(code));

  // The longest common subsequence: how much of it there is from here on, and then the way along it.
  const common = Array.from({ length: was.length + 1 }, () => new Uint16Array(is.length + 1));
  for (let i = was.length - 1; i >= 0; i -= 1) {
    for (let j = is.length - 1; j >= 0; j -= 1) {
      common[i][j] = was[i] === is[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const wishes = [];
  for (let i = 0, j = 0; i < was.length && j < is.length;) {
    if (was[i] === is[j]) wishes.push([variables[j++], earlier[i++].name]);
    else if (common[i + 1][j] >= common[i][j + 1]) i += 1;
    else j += 1;
  }
  return wishes;
}

/** What gzip -9 makes of it: Node's own zlib is another, and differs by some bytes. */
function sizeOf(bytes) {
  return deflateRaw(bytes, { level: 9 }).length;
}

/** Whether nothing that is in its way has its name. */
function isClear({ name, rivals }) {
  return rivals.every((rival) => rival.name !== name);
}

/** The variables and properties whose names are one letter: where each stands, and which others must not have its name. */
function analyse(code) {
  const variables = [];
  const mentions = [];
  // Nobody but us has properties of one letter.
  const properties = open(null);

  function mentionProperty({ name, start }) {
    if (name?.length !== 1) return;
    declare(properties, { name });
    properties.names.get(name).starts.push(start);
  }
  function open(parent, ofFunction) {
    const scope = { parent, names: new Map(), mentioned: new Set() };
    scope.ofFunction = ofFunction ?? scope;
    return scope;
  }
  function declare(scope, { name }) {
    if (scope.names.has(name)) return;
    const variable = { name, scope, starts: [], rivals: [] };
    scope.names.set(name, variable);
    variables.push(variable);
  }
  function visit(node, scope) {
    if (Array.isArray(node)) return node.forEach((item) => visit(item, scope));
    if (!node || typeof node.type !== 'string') return;
    if (node.type === 'MemberExpression') {
      visit(node.object, scope);
      if (node.computed) visit(node.property, scope);
      else mentionProperty(node.property);
      return;
    }
    if (node.type === 'Property') {
      mentionProperty(node.key);
      return visit(node.value, scope);
    }
    if (node.type === 'Identifier') return mentions.push([node, scope]);
    if (node.type === 'VariableDeclarator') declare(scope.ofFunction, node.id);
    if (node.type === 'FunctionDeclaration') {
      declare(scope.ofFunction, node.id);
      visit(node.id, scope);
      scope = open(scope);
    }
    if (node.type === 'FunctionExpression') {
      scope = open(scope);
      if (node.id) {
        declare(scope, node.id);
        visit(node.id, scope);
        scope = open(scope);
      }
    }
    if (node.type === 'CatchClause') {
      // What is declared in there belongs to the function.
      scope = open(scope, scope.ofFunction);
      declare(scope, node.param);
    }
    for (const param of node.params ?? []) declare(scope, param);
    for (const key of Object.keys(node)) if (key !== 'id' || node.type === 'VariableDeclarator') visit(node[key], scope);
  }
  visit(parse(code, { ecmaVersion: 5 }), open(null));

  for (const [{ name, start }, from] of mentions) {
    let home = from;
    while (home && !home.names.has(name)) home = home.parent;
    const variable = home?.names.get(name);
    variable?.starts.push(start);
    for (let scope = from; variable && scope !== home.parent; scope = scope.parent) scope.mentioned.add(variable);
  }
  for (const variable of properties.names.values()) {
    variable.rivals = [...properties.names.values()].filter((other) => other !== variable);
  }
  // Whatever is mentioned below the scope of a variable would be taken for it.
  for (const variable of variables) {
    for (const other of variable.scope.mentioned) {
      if (other === variable) continue;
      variable.rivals.push(other);
      other.rivals.push(variable);
    }
  }
  const named = variables.filter(({ name, starts }) => name.length === 1 && starts.length);
  for (const variable of named) {
    variable.name = variable.name.charCodeAt(0);
    variable.rivals = variable.rivals.filter((rival) => named.includes(rival));
  }
  return named;
}

/** Numbers between 0 and 1, the same each time. */
function generator() {
  let state = 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}
