// For `node --import`: the process lives 20 minutes later than others, for whom files are new that are old to it.
const { now } = Date;
Date.now = () => now() + 20 * 60_000;
