// Text to tokens, and tokens back to the exact bytes they stand for.

// Token types of the GGUF format.
const kUnknown = 2;
const kControl = 3;
const kUserDefined = 4;
const kUnused = 5;
const kByte = 6;

/** The printable stand-ins byte-level BPE writes for bytes, back to the bytes. */
function byteLevelAlphabet() {
    const bytes = new Map();
    let stands = 256;
    for (let byte = 0; byte < 256; byte++) {
        const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
        bytes.set(String.fromCodePoint(printable ? byte : stands++), byte);
    }
    return bytes;
}

const kAlphabet = byteLevelAlphabet();

function fromByteLevel(text) {
    const chars = [...text];
    // Added tokens can hold characters outside the alphabet; those are plain text.
    if (!chars.every((char) => kAlphabet.has(char))) return Buffer.from(text);
    return Buffer.from(chars.map((char) => kAlphabet.get(char)));
}

/**
 * The library's own detokenize() drops the space before punctuation for some vocabularies and cannot show half a
 * character, so pieces are made here from the file's token list.
 */
export class Vocabulary {
    #model;
    #texts;
    #types;
    #kind;
    #pieces = [];

    constructor(model) {
        const {tokens, token_type: types, model: kind} = model.fileInfo.metadata.tokenizer.ggml;
        this.#model = model;
        this.#texts = tokens;
        this.#types = types ?? [];
        this.#kind = kind;
        /** Tokens that end a generation. */
        this.ends = this.#findEnds();
    }

    get size() {
        return this.#texts.length;
    }

    get bos() {
        return this.#model.tokens.bosString ?? "";
    }

    get eos() {
        return this.#model.tokens.eosString ?? "";
    }

    /** `beginning` adds the model's BOS where it wants one; `special` reads "<|eot|>" and the like as one token. */
    tokenize(text, {beginning, special}) {
        const tokens = this.#model.tokenize(text, special);
        const {bos, shouldPrependBosToken} = this.#model.tokens;
        if (beginning && shouldPrependBosToken && bos !== null && tokens[0] !== bos) tokens.unshift(bos);
        return tokens;
    }

    has(token) {
        return Number.isInteger(token) && token >= 0 && token < this.size;
    }

    /** Control tokens, which answers do not show. */
    isHidden(token) {
        return this.#types[token] === kControl || this.#types[token] === kUnknown;
    }

    bytes(token) {
        return (this.#pieces[token] ??= this.#makePiece(token));
    }

    text(tokens) {
        return Buffer.concat(tokens.map((token) => this.bytes(token))).toString("utf8");
    }

    #makePiece(token) {
        const text = this.#texts[token];
        const type = this.#types[token];
        if (type === kUnused) return Buffer.alloc(0);
        if (type === kByte) return Buffer.from([Number(text.slice(1, -1))]);
        if (type === kUserDefined || this.isHidden(token)) return Buffer.from(text);
        if (this.#kind === "gpt2") return fromByteLevel(text);
        if (this.#kind === "llama") return Buffer.from(text.replaceAll("\u2581", " "));
        return Buffer.from(this.#model.detokenize([token], true));
    }

    #findEnds() {
        const {eos, eot} = this.#model.tokens;
        const ends = new Set([eos, eot].filter((token) => token !== null));
        for (let token = 0; token < this.size; token++)
            if (this.#types[token] !== 1 && this.#model.isEogToken(token)) ends.add(token);
        return ends;
    }
}

/** Turns an answer's tokens into text one by one, holding back only half a character. */
export class TextStream {
    #vocabulary;
    #decoder = new TextDecoder("utf-8", {ignoreBOM: true});

    constructor(vocabulary) {
        this.#vocabulary = vocabulary;
    }

    push(token) {
        if (this.#vocabulary.isHidden(token)) return "";
        return this.#decoder.decode(this.#vocabulary.bytes(token), {stream: true});
    }
}
