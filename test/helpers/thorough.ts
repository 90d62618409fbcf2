// RUNFOLD_TESTS=all: more of what is tried again and again, where half an hour is not too long.
export const isThorough = process.env['RUNFOLD_TESTS'] === 'all';
