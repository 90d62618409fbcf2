// Prints the JSON Schema of event lines, made from the schemas that the reader validates with:
//
//   npm run build && node scripts/events-schema.mjs > docs/events.schema.json
//
// Another build than dist/ can be named as the first argument.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';

const build = process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url));
const { eventSchemas } = await import(pathToFileURL(path.resolve(build, 'events/event-schemas.js')).href);
const schemas = eventSchemas();
const types = Object.keys(schemas);

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'runfold event, version 1',
  description:
    'One line of an event file. docs/events.md has the rules that no schema can say. ' +
    'A line of another type is no error: readers count it and leave it.',
  oneOf: types.map((type) => ({ $ref: `#/$defs/${type}` })),
  $defs: Object.fromEntries(types.map((type) => [type, schemaOf(type)])),
};
process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);

/** Of what a line may hold, not of what the parser returns: unknown fields are allowed. */
function schemaOf(type) {
  const { $schema: _, ...rest } = z.toJSONSchema(schemas[type], {
    io: 'input',
    unrepresentable: 'any',
  });
  return rest;
}
