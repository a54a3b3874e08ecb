// The paths of llama-server that Assay uses.
import {complete} from "./completion.mjs";
import {Fields} from "./fields.mjs";
import {event, readObject, sendJson} from "./http.mjs";
import {badRequest, unavailable} from "./problem.mjs";
import {chatPrompt, plainPrompt} from "./prompt.mjs";
import {ChatReply, PlainReply} from "./replies.mjs";
import {kDefaultSampling, readChatRequest, readPlainRequest} from "./request.mjs";

const kTextPart = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true});

/** `app.engine` is null until the model is loaded; every path answers 503 until then. */
export function createRoutes(app) {
    const ready = (handler) => async (req, res, signal) => {
        if (!app.engine) throw unavailable("Loading model");
        await handler(app.engine, req, res, signal);
    };
    const get = (answer) => ({GET: ready(async (engine, req, res) => sendJson(res, answer(engine)))});
    const post = (answer) => ({
        POST: ready(async (engine, req, res) => sendJson(res, answer(engine, await readObject(req))))
    });
    const chat = {POST: ready(completionHandler(readChatRequest, chatPrompt, ChatReply))};
    const plain = {POST: ready(completionHandler(readPlainRequest, plainPrompt, PlainReply))};
    return new Map([
        ["/v1/chat/completions", chat],
        ["/chat/completions", chat],
        ["/v1/completions", plain],
        ["/tokenize", post(tokenize)],
        ["/detokenize", post(detokenize)],
        ["/health", get(() => ({status: "ok"}))],
        ["/v1/health", get(() => ({status: "ok"}))],
        ["/v1/models", get(models)],
        ["/models", get(models)],
        ["/props", get(properties)]
    ]);
}

function completionHandler(readRequest, makePrompt, Reply) {
    return async (engine, req, res, signal) => {
        const request = readRequest(await readObject(req));
        const prompt = makePrompt(engine, request);
        const reply = new Reply(engine);
        const answer = request.stream ? answerInPieces : answerWhole;
        await answer({engine, request, prompt, reply, res, signal});
    };
}

async function answerWhole({engine, request, prompt, reply, res, signal}) {
    let text = "";
    const result = await complete(engine, prompt, request, signal, (piece) => { text += piece; });
    sendJson(res, reply.whole(text, result));
}

/** The status line waits for the first token, so that whatever fails before it is a plain error. */
async function answerInPieces({engine, request, prompt, reply, res, signal}) {
    const result = await complete(engine, prompt, request, signal, (text, timings) => {
        if (!res.headersSent) open(res, reply);
        if (text === "") return;
        const piece = reply.piece(text);
        res.write(event(request.timingsPerToken ? {...piece, timings} : piece));
    });
    for (const chunk of reply.closing(result, request.includeUsage)) res.write(event(chunk));
    res.end("data: [DONE]\n\n");
}

function open(res, reply) {
    res.writeHead(200, {"content-type": "text/event-stream", "cache-control": "no-cache"});
    for (const chunk of reply.opening()) res.write(event(chunk));
}

function tokenize({vocabulary}, body) {
    const fields = new Fields(body);
    const tokens = vocabulary.tokenize(fields.string("content"), {
        beginning: fields.boolean("add_special", false),
        special: fields.boolean("parse_special", true)
    });
    if (!fields.boolean("with_pieces", false)) return {tokens};
    return {tokens: tokens.map((id) => ({id, piece: textOrBytes(vocabulary.bytes(id))}))};
}

function textOrBytes(bytes) {
    try {
        return kTextPart.decode(bytes);
    } catch {
        return [...bytes];
    }
}

function detokenize({vocabulary}, body) {
    const tokens = body.tokens;
    if (!Array.isArray(tokens) || !tokens.every((token) => vocabulary.has(token)))
        throw badRequest(`"tokens" must be a list of token numbers from 0 to ${vocabulary.size - 1}`);
    return {content: vocabulary.text(tokens)};
}

function models(engine) {
    const meta = {
        n_vocab: engine.vocabulary.size, n_ctx_train: engine.trainContextSize, n_embd: engine.embeddingSize,
        n_params: engine.parameters, size: engine.modelBytes
    };
    const model = {id: engine.name, object: "model", created: engine.created, owned_by: "llamacpp", meta};
    return {object: "list", data: [model]};
}

function properties(engine) {
    return {
        default_generation_settings: {
            n_ctx: engine.contextSize,
            params: {...kDefaultSampling, seed: 4294967295, n_predict: -1}
        },
        total_slots: engine.slots.total,
        model_alias: engine.name,
        model_path: engine.path,
        chat_template: engine.template.source,
        bos_token: engine.vocabulary.bos,
        eos_token: engine.vocabulary.eos,
        modalities: {vision: false, audio: false},
        build_info: engine.build,
        n_threads: engine.threads,
        load: engine.load
    };
}
