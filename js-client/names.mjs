// Gives the one-letter names of a minified script that compress best: a minifier gives the shortest ones, but which letters
// stand beside which words makes one byte of twelve. Only letters change places, so that the script stays as long as it
// was, and its source map true.

import { parse } from 'acorn';
import { deflateRaw } from 'pako';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => letter.charCodeAt(0));

// How much worse, in bytes, a script may become for a while: at first, and in the end.
const WARM = 1.5;
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

/** `code`, which is ASCII, with other names, by annealing: after so many attempts to find better ones. The same code gets the same names. */
export function rename(code, attempts) {
  const variables = analyse(code);
  const bytes = Buffer.from(code);
  const random = generator();
  const pick = (list) => list[Math.floor(random() * list.length)];
  const put = (variable, name) => {
    variable.name = name;
    for (const start of variable.starts) bytes[start] = name;
  };

  let size = sizeOf(bytes);
  let best = { size, code };
  for (let i = 0; i < attempts; i += 1) {
    const variable = pick(variables);
    const { name } = variable;
    const wanted = random() < 0.25 ? pick(LETTERS) : pick(variables).name;
    if (wanted === name) continue;
    // Those that have the name and are in the way get the old one.
    const others = variable.rivals.filter((rival) => rival.name === wanted);
    put(variable, wanted);
    for (const other of others) put(other, name);
    if (isClear(variable) && others.every(isClear)) {
      const next = sizeOf(bytes);
      const warmth = WARM * (COLD / WARM) ** (i / attempts);
      if (next <= size || random() < Math.exp((size - next) / warmth)) {
        size = next;
        if (size < best.size) best = { size, code: bytes.toString() };
        continue;
      }
    }
    put(variable, name);
    for (const other of others) put(other, wanted);
  }
  return best.code;
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
