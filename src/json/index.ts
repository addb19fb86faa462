export { JsonObject } from './json-object.ts';
export { parseJson } from './parse-json.ts';
