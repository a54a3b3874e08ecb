// Loads one model and everything a request needs from it.
import {readFileSync} from "node:fs";
import path from "node:path";
import {getLlama, LlamaLogLevel, TokenBias} from "node-llama-cpp";
import {log} from "./log.mjs";
import {ChatTemplate} from "./prompt.mjs";
import {SlotPool} from "./slots.mjs";
import {chooseThreads, usableCores} from "./threads.mjs";
import {Vocabulary} from "./vocabulary.mjs";

const kDefaultContext = 8192;

/** The compiled library that ships in the package: nothing is built and nothing is fetched. */
function openLibrary() {
    return getLlama({
        gpu: false, build: "never", skipDownload: true, progressLogs: false,
        maxThreads: 0, // no limit of its own: the context's number of threads stands
        logLevel: LlamaLogLevel.warn,
        logger: (level, message) => log(`${level}: ${message}`)
    });
}

/** Resolves when the first token could be asked for. */
export async function loadEngine(options) {
    const library = await openLibrary();
    const start = process.hrtime.bigint();
    const model = await library.loadModel({
        modelPath: path.resolve(options.gguf), useMmap: options.mmap, useMlock: options.mlock
    });
    const parameters = countParameters(model);
    const threads = chooseThreads(options.threads, parameters);
    if (threads > usableCores()) log(`${threads} threads on ${usableCores()} cores will be slow`);
    const contextSize = chooseContext(options.ctx, model.trainContextSize);
    const context = await model.createContext({
        contextSize, sequences: options.parallel, threads, batchSize: Math.min(options.batch, contextSize),
        flashAttention: options.flashAttention,
        experimentalKvCacheKeyType: options.cacheTypeK.toUpperCase(),
        experimentalKvCacheValueType: options.cacheTypeV.toUpperCase()
    });
    const sequences = Array.from({length: options.parallel}, () => context.getSequence());
    await warmUp(sequences[0]);
    const loadMs = Number(process.hrtime.bigint() - start) / 1e6;

    const vocabulary = new Vocabulary(model);
    return {
        name: options.alias ?? path.basename(options.gguf),
        path: options.gguf,
        build: buildInfo(library),
        created: Math.floor(Date.now() / 1000),
        threads, contextSize, loadMs, parameters, vocabulary,
        trainContextSize: model.trainContextSize,
        embeddingSize: model.embeddingVectorSize,
        modelBytes: model.size,
        template: new ChatTemplate(model.fileInfo.metadata.tokenizer.chat_template, vocabulary),
        load: {
            flash_attention: options.flashAttention === "auto" ? "auto" : options.flashAttention ? "on" : "off",
            cache_type_k: options.cacheTypeK, cache_type_v: options.cacheTypeV,
            batch_size: Math.min(options.batch, contextSize), gpu_layers: 0
        },
        slots: new SlotPool(sequences),
        neverEnd: banEnds(model, vocabulary)
    };
}

function countParameters({fileInfo}) {
    const tensors = fileInfo.fullTensorInfo ?? fileInfo.tensorInfo ?? [];
    return tensors.reduce((sum, {dimensions}) => sum + dimensions.reduce((a, b) => a * Number(b), 1), 0);
}

/** Each slot's share in tokens. The model cannot read beyond what it was trained on. */
function chooseContext(asked, trained) {
    if (asked === 0) return Math.min(trained, kDefaultContext);
    if (asked > trained) log(`the model was trained on ${trained} tokens: --ctx ${asked} is cut to that`);
    return Math.min(asked, trained);
}

// The first evaluation pages the weights in; that belongs to loading.
async function warmUp(sequence) {
    await sequence.evaluateWithoutGeneratingNewTokens([0]);
    await sequence.clearHistory();
}

/**
 * Makes the tokens that end an answer impossible, as llama-server does for ignore_eos: every token then has text.
 * TokenBias.set() passes over such tokens, hence the look inside; the library's version is pinned.
 */
function banEnds(model, vocabulary) {
    const bias = TokenBias.for(model);
    for (const token of vocabulary.ends) bias._biases.set(token, -Infinity);
    return bias;
}

function buildInfo(library) {
    const {dependencies} = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    return `node-llama-cpp ${dependencies["node-llama-cpp"]} (llama.cpp ${library.llamaCppRelease.release})`;
}
