// Paths, errors and the two tokenizer routes.
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {post, postJson, randomModel, startEngine, user} from "./engine_process.mjs";

const kChat = "/v1/chat/completions";
let engine;

before(async () => {
    engine = await startEngine("--gguf", randomModel(), "--parallel", "2", "--ctx", "256", "--threads", "1");
});

after(() => engine?.stop());

const get = async (path) => (await fetch(engine.url + path)).json();

test("the readiness line says where, what and how", () => {
    assert.deepEqual(Object.keys(engine.ready), ["listening", "model", "threads", "ctx", "load_ms"]);
    assert.match(engine.ready.listening, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(engine.ready.threads, 1);
    assert.equal(engine.ready.ctx, 256);
    assert.ok(engine.ready.load_ms > 0);
});

test("/health is ok", async () => assert.deepEqual(await get("/health"), {status: "ok"}));

test("/v1/models describes the one model", async () => {
    const {object, data} = await get("/v1/models");
    assert.equal(object, "list");
    assert.equal(data.length, 1);
    assert.equal(data[0].id, engine.ready.model);
    assert.equal(data[0].owned_by, "llamacpp");
    for (const name of ["n_vocab", "n_ctx_train", "n_embd", "n_params", "size"])
        assert.ok(data[0].meta[name] > 0, name);
});

test("/props tells the settings in force", async () => {
    const props = await get("/props");
    assert.equal(props.default_generation_settings.n_ctx, 256);
    assert.equal(props.total_slots, 2);
    assert.equal(props.n_threads, 1);
    assert.deepEqual([props.load.cache_type_k, props.load.cache_type_v, props.load.gpu_layers], ["f16", "f16", 0]);
    assert.ok(["on", "off", "auto"].includes(props.load.flash_attention));
    assert.match(props.build_info, /^node-llama-cpp \d+\.\d+\.\d+ \(llama\.cpp .+\)$/);
    assert.ok(props.chat_template.includes("messages"));
});

test("unknown paths are 404, wrong methods 405, both as JSON", async () => {
    const missing = await fetch(engine.url + "/nothing");
    assert.equal(missing.status, 404);
    assert.equal((await missing.json()).error.code, 404);
    const wrong = await fetch(engine.url + kChat);
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get("allow"), "POST");
    assert.equal((await wrong.json()).error.code, 405);
});

const kTexts = [
    "plain words", "Zo\u00eb \u4f60\u597d \ud83d\ude00\ud83c\udf0d, yes. no?", "", "line\n\ttab", "<|im_end|>"
];

for (const text of kTexts)
    test(`tokens of ${JSON.stringify(text)} turn back into it`, async () => {
        const {tokens} = (await postJson(engine.url, "/tokenize", {content: text})).body;
        const {content} = (await postJson(engine.url, "/detokenize", {tokens})).body;
        assert.equal(content, text);
    });

test("with_pieces shows text, or bytes where a token is part of a character", async () => {
    const {tokens} = (await postJson(engine.url, "/tokenize", {content: "a\u4f60", with_pieces: true})).body;
    assert.equal(tokens[0].piece, "a");
    const rest = tokens.slice(1).flatMap(({piece}) => piece);
    assert.deepEqual(rest, [...Buffer.from("\u4f60")]);
});

test("parse_special false reads a control token as plain text", async () => {
    const count = async (parse_special) =>
        (await postJson(engine.url, "/tokenize", {content: "<|im_end|>", parse_special})).body.tokens.length;
    assert.equal(await count(true), 1);
    assert.ok(await count(false) > 1);
});

const kMalformed = [
    ["no JSON", "{", /JSON/],
    ["an array", "[]", /object/],
    ["null", "null", /object/],
    ["no messages", {}, /"messages"/],
    ["messages not a list", {messages: "hi"}, /"messages"/],
    ["empty messages", {messages: []}, /"messages"/],
    ["a message that is no object", {messages: ["hi"]}, /"messages\[0\]"/],
    ["a message without a role", {messages: [{content: "hi"}]}, /"messages\[0\]\.role"/],
    ["content of the wrong type", {messages: user(5)}, /"messages\[0\]\.content"/],
    ["content with an image", {messages: user([{type: "image_url"}])}, /"messages\[0\]\.content\[0\]\.type"/],
    ["a text part without text", {messages: user([{type: "text"}])}, /"messages\[0\]\.content\[0\]\.text"/],
    ...[
        ["max_tokens", "ten"], ["max_tokens", 0], ["max_tokens", 1.5], ["max_completion_tokens", -2],
        ["n_predict", true], ["temperature", "hot"], ["temperature", -1], ["top_p", 2], ["top_k", 0.5],
        ["min_p", -0.1], ["seed", "x"], ["stop", 5], ["stop", [""]], ["stop", Array(17).fill("x")],
        ["stream", "yes"], ["ignore_eos", 1], ["cache_prompt", "no"], ["timings_per_token", []],
        ["stream_options", "usage"], ["n", 2], ["tools", [{type: "function"}]], ["chat_template_kwargs", 1],
        ["response_format", {type: "json_object"}]
    ].map(([name, value]) => [`${name} ${JSON.stringify(value)}`, {messages: user("hi"), [name]: value},
        new RegExp(`"${name}"`)])
];

for (const [name, body, says] of kMalformed)
    test(`a body with ${name} is a 400 that says so`, async () => {
        const answer = await postJson(engine.url, kChat, body);
        assert.equal(answer.status, 400);
        assert.equal(answer.body.error.code, 400);
        assert.equal(answer.body.error.type, "invalid_request_error");
        assert.match(answer.body.error.message, says);
    });

test("null and neutral fields are as good as absent", async () => {
    const {status} = await postJson(engine.url, kChat, {
        messages: user("hi"), max_tokens: 2, temperature: null, stop: null, n: 1, tools: [], logprobs: false,
        response_format: {type: "text"}, presence_penalty: 0
    });
    assert.equal(status, 200);
});

for (const [path, body, says] of [
    ["/v1/completions", {}, /"prompt"/],
    ["/v1/completions", {prompt: ""}, /"prompt"/],
    ["/v1/completions", {prompt: [1, "x"]}, /"prompt"/],
    ["/v1/completions", {prompt: [999999]}, /"prompt"/],
    ["/tokenize", {content: 5}, /"content"/],
    ["/tokenize", {content: "x", with_pieces: 1}, /"with_pieces"/],
    ["/detokenize", {tokens: "x"}, /"tokens"/],
    ["/detokenize", {tokens: [-1]}, /"tokens"/]
])
    test(`${path} refuses ${JSON.stringify(body)}`, async () => {
        const answer = await postJson(engine.url, path, body);
        assert.equal(answer.status, 400);
        assert.match(answer.body.error.message, says);
    });

test("a body that is not UTF-8 is a 400", async () => {
    const response = await post(engine.url, "/tokenize", Buffer.from('{"content":"\xff"}', "latin1"));
    assert.equal(response.status, 400);
    assert.match((await response.json()).error.message, /UTF-8/);
});

test("a body over 16 MiB is a 413", async () => {
    const response = await post(engine.url, "/tokenize", Buffer.alloc(16 * 1024 * 1024 + 1, " "));
    assert.equal(response.status, 413);
    assert.equal((await response.json()).error.code, 413);
});
