#pragma once

#include "engines/engine.h"

namespace assay {

std::unique_ptr<Engine> make_openai(HttpClient& http, Url url, Secret key);
std::unique_ptr<Engine> make_lmstudio(HttpClient& http, Url url, Secret key);
std::unique_ptr<Engine> make_vllm(HttpClient& http, Url url, Secret key);
std::unique_ptr<Engine> make_llamacpp(HttpClient& http, Url url, Secret key);
std::unique_ptr<Engine> make_ollama(HttpClient& http, Url url, Secret key);

}  // namespace assay
