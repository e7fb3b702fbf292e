// Gives the local names of a minified script that compress best: a minifier gives the shortest ones, which are all of one
// letter here, but which letters stand beside which words makes one byte of thirty. Only letters change places, so that
// the script stays as long as it was, and its source map true.

import { deflateRawSync } from 'node:zlib';

import { parse } from 'acorn';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => letter.charCodeAt(0));

/** `code`, which is ASCII, with other names, after so many attempts to find better ones. The same code gets the same names. */
export function rename(code, attempts) {
  const variables = analyse(code);
  const bytes = Buffer.from(code);
  const random = generator();
  const pick = (list) => list[Math.floor(random() * list.length)];
  const put = (variable, name) => {
    variable.name = name;
    for (const start of variable.starts) bytes[start] = name;
  };

  let best = deflateRawSync(bytes, { level: 9 }).length;
  for (let i = 0; i < attempts; i += 1) {
    const variable = pick(variables);
    const { name } = variable;
    const wanted = random() < 0.3 ? pick(LETTERS) : pick(variables).name;
    if (wanted === name) continue;
    // Those that have the name and are in the way get the old one.
    const others = variable.rivals.filter((rival) => rival.name === wanted);
    put(variable, wanted);
    for (const other of others) put(other, name);
    const isClear = ({ name, rivals }) => rivals.every((rival) => rival.name !== name);
    if (isClear(variable) && others.every(isClear)) {
      const size = deflateRawSync(bytes, { level: 9 }).length;
      if (size <= best) {
        best = size;
        continue;
      }
    }
    put(variable, name);
    for (const other of others) put(other, wanted);
  }
  return bytes.toString();
}

/** The variables whose names are one letter: where each stands, and which others must not have its name. */
function analyse(code) {
  const variables = [];
  const mentions = [];

  const open = (parent, ofFunction) => {
    const scope = { parent, names: new Map(), mentioned: new Set() };
    scope.ofFunction = ofFunction ?? scope;
    return scope;
  };
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
      return;
    }
    if (node.type === 'Property') return visit(node.value, scope);
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
