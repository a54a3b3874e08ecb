// From a request's messages or prompt to the tokens the model reads.
import {Template} from "@huggingface/jinja";
import {badRequest, Problem} from "./problem.mjs";

const kChatMl = "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + " +
    "'<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** The model's chat template, ChatML where the file has none. */
export class ChatTemplate {
    #template;

    constructor(source, vocabulary) {
        this.source = source ?? kChatMl;
        this.vocabulary = vocabulary;
    }

    render(messages, variables) {
        const {bos, eos} = this.vocabulary;
        try {
            // Parsed on first use: plain completions work even if the file's template does not parse.
            this.#template ??= new Template(this.source);
            return this.#template.render({
                messages, bos_token: bos, eos_token: eos, add_generation_prompt: true, ...variables
            });
        } catch (error) {
            throw badRequest(`"messages" do not suit the model's chat template: ${error.message}`);
        }
    }
}

export function chatPrompt(engine, {messages, variables}) {
    const text = engine.template.render(messages, variables);
    return fit(engine, engine.vocabulary.tokenize(text, {beginning: true, special: true}));
}

/** `prompt` is text or token numbers. */
export function plainPrompt(engine, {prompt}) {
    const {vocabulary} = engine;
    if (typeof prompt === "string") return fit(engine, vocabulary.tokenize(prompt, {beginning: true, special: true}));
    if (!prompt.every((token) => vocabulary.has(token)))
        throw badRequest(`"prompt" holds a token outside 0 to ${vocabulary.size - 1}`);
    return fit(engine, prompt);
}

// One place must stay free for the first token of the answer.
function fit({contextSize}, tokens) {
    if (tokens.length === 0) throw badRequest('"prompt" must not be empty');
    if (tokens.length < contextSize) return tokens;
    throw new Problem(400, "exceed_context_size_error",
        `the request (${tokens.length} tokens) exceeds the available context size (${contextSize} tokens)`,
        {n_prompt_tokens: tokens.length, n_ctx: contextSize});
}
