// Why a line is not applied. docs/errors.md is tested against this list.

/** Every reason for which a line is rejected, with what to do about it. */
export const REJECT_CODES = {
  too_long: 'The line is longer than 1,048,576 bytes. Store the large value elsewhere and log its path.',
  nul_hole:
    'The line holds NUL bytes: pages that never arrived, or two machines appending to one file. It is read again if it fills.',
  byte_order_mark: 'The line begins with a byte order mark. Save the file as UTF-8 without BOM.',
  invalid_utf8: 'The line is not valid UTF-8.',
  too_deep: 'Objects and arrays are nested more than 64 deep.',
  not_json: 'The line is not JSON: a torn line of a killed or failing writer, or a typing mistake.',
  not_an_object: 'The line is JSON but not an object.',
  bad_type: 'The field "type" is missing or not a string.',
  bad_field: 'A field is missing or has a wrong type or value.',
  run_id_mismatch: 'The key of a run_created does not hash to its run_id.',
  missing_attempt: 'An event of source slurm, squeue or sacct must say which attempt it is about.',
  no_header: 'The file is named like a writer’s but this line comes before its header (writer_opened).',
  missing_seq: 'The line has no seq, which every line of a file with a header must have.',
  seq_conflict: 'An earlier valid line of the file has the same seq and other content.',
  writer_closed_mismatch: 'The events of a writer_closed must be its seq minus 1, in a file with a header.',
  second_header: 'The file holds a second writer_opened; nothing after it is read.',
  other_format: 'The file is of a format that this release does not know; nothing from here on is read.',
} as const;

export type RejectCode = keyof typeof REJECT_CODES;
