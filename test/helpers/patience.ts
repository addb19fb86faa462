/**
 * How many times longer than on a machine of its own everything may take: an emulated processor is slow. Only for
 * how long a test waits before it gives up; no test waits this long when all is well.
 */
export const patience = Number(process.env['TS_XDP_PATIENCE'] ?? 1);
