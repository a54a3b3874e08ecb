/** stdout carries the readiness line alone, so people read stderr. */
export function log(message) {
    process.stderr.write(`engine: ${message.trimEnd()}\n`);
}
