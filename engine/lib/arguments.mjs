import {parseArgs} from "node:util";

export const usage = "usage: server.mjs --gguf FILE [--host 127.0.0.1] [--port 0] [--threads 0] [--ctx 0] " +
    "[--parallel 1] [--alias NAME] [--exit-on-stdin-eof]";

const kMaxSlots = 64;

function wholeNumber(values, name, least, most) {
    const value = Number(values[name]);
    if (!/^\d+$/.test(values[name]) || value < least || value > most)
        throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
    return value;
}

/** Reads the command line. --threads 0 and --ctx 0 mean "let the engine decide". Throws what is wrong. */
export function readArguments(args) {
    const {values} = parseArgs({
        args,
        options: {
            gguf: {type: "string"},
            host: {type: "string", default: "127.0.0.1"},
            port: {type: "string", default: "0"},
            threads: {type: "string", default: "0"},
            ctx: {type: "string", default: "0"},
            parallel: {type: "string", default: "1"},
            alias: {type: "string"},
            "exit-on-stdin-eof": {type: "boolean", default: false}
        }
    });
    if (!values.gguf) throw new Error("--gguf is missing");
    return {
        gguf: values.gguf,
        host: values.host,
        port: wholeNumber(values, "port", 0, 65535),
        threads: wholeNumber(values, "threads", 0, 1024),
        ctx: wholeNumber(values, "ctx", 0, 2 ** 24),
        parallel: wholeNumber(values, "parallel", 1, kMaxSlots),
        alias: values.alias,
        exitOnStdinEof: values["exit-on-stdin-eof"]
    };
}
