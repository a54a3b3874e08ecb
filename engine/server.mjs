// Serves one GGUF file over llama-server's HTTP interface, on the CPU.
//
//   node engine/server.mjs --gguf FILE [--host 127.0.0.1] [--port 0] [--threads 0] [--ctx 0]
//                          [--parallel 1] [--batch 512] [--flash-attention auto] [--mmap auto] [--mlock off]
//                          [--cache-type-k f16] [--cache-type-v f16] [--alias NAME] [--exit-on-stdin-eof]
//
// LLAMA_API_KEY in the environment is the key that requests have to bring.
// Writes one JSON line to stdout when the model is ready; everything else goes to stderr.
import {readArguments, usage} from "./lib/arguments.mjs";
import {closeServer, createServer, listen} from "./lib/http.mjs";
import {log} from "./lib/log.mjs";
import {createRoutes} from "./lib/routes.mjs";

const kShutdownGraceMs = 2000;

function parseCommandLine() {
    try {
        return readArguments(process.argv.slice(2));
    } catch (error) {
        log(`${error.message}\n${usage}`);
        process.exit(2);
    }
}

// An ordinary exit waits for the computation under way, which nothing can interrupt.
function killSelf() {
    log(`still computing after ${kShutdownGraceMs} ms: killed`);
    process.kill(process.pid, "SIGKILL");
}

/** Stops taking requests, ends those under way at their next token, then leaves. */
function stopWith(app, server) {
    return async () => {
        if (app.stopping) return;
        app.stopping = true;
        closeServer(server);
        setTimeout(killSelf, kShutdownGraceMs);
        const engine = await app.loading?.catch(() => null);
        await engine?.slots.idle();
        process.exit(0);
    };
}

function watchForStop(stop, options) {
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    if (!options.exitOnStdinEof) return;
    process.stdin.on("end", stop).on("error", stop).resume();
}

async function main() {
    const options = parseCommandLine();
    const app = {engine: null, loading: null, stopping: false};
    const server = createServer(createRoutes(app), process.env.LLAMA_API_KEY);
    watchForStop(stopWith(app, server), options);

    // Listening comes first so that /health can answer 503 while the model loads.
    const listening = await listen(server, options);
    app.loading = import("./lib/engine.mjs").then(({loadEngine}) => loadEngine(options));
    app.engine = await app.loading;
    if (app.stopping) return;
    const {name, threads, contextSize, loadMs} = app.engine;
    process.stdout.write(JSON.stringify({listening, model: name, threads, ctx: contextSize, load_ms: loadMs}) + "\n");
}

main().catch((error) => {
    log(`cannot start: ${error.message}`);
    process.exit(1);
});
