#include "supervise/engine_log.h"

#include <gtest/gtest.h>

#include "supervise/recipe.h"

namespace assay {
namespace {

EngineLog log_of(std::string_view text) {
  EngineLog log(llama_server_recipe().log);
  log.feed(text);
  return log;
}

struct Line {
  std::string_view text;
  std::optional<LoadOutcome> means;
};

/// As users of llama.cpp report them.
TEST(EngineLog, KnowsWhatEnginesWriteWhenTheyFail) {
  constexpr auto kOom = LoadOutcome::kGpuOom;
  constexpr auto kBad = LoadOutcome::kLoadFailed;
  for (const Line& line : {
           Line{"ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4480.00 MiB on device 3: "
                "cudaMalloc failed: out of memory",
                kOom},
           Line{"E llama_model_load: error loading model: unable to allocate CUDA0 buffer", kOom},
           Line{"alloc_tensor_range: failed to allocate CUDA0 buffer of size 12306496768", kOom},
           Line{"ggml_gallocr_reserve_n_impl: failed to allocate CUDA1 buffer of size 54", kOom},
           Line{"CUDA error: out of memory", kOom},
           Line{"ROCm error: out of memory", kOom},
           Line{"alloc_tensor_range: failed to allocate ROCm0 buffer of size 7", kOom},
           Line{"ggml_vulkan: Device memory allocation of size 369827840 failed.", kOom},
           Line{"ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory", kOom},
           Line{"error: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
                kOom},
           Line{"llama_model_load: error loading model: unable to allocate backend buffer", kOom},
           Line{"llama_model_load: error loading model: unknown model architecture: 'x'", kBad},
           Line{"srv    load_model: failed to load model, '/m/x.gguf'", kBad},
           Line{"main: exiting due to model loading error", kBad},
           Line{"error: invalid argument: --flash-attn", kBad},
           Line{"load_tensors:        CUDA0 model buffer size = 48928.09 MiB", std::nullopt},
           Line{"main: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 1",
                std::nullopt},
       }) {
    EXPECT_EQ(log_of(std::string(line.text) + "\n").failure(), line.means) << line.text;
  }
}

TEST(EngineLog, MemoryWeighsMoreThanWhatFollowsFromIt) {
  const EngineLog log = log_of(
      "srv load_model: failed to load model\n"
      "cudaMalloc failed: out of memory\n"
      "main: exiting due to model loading error\n");
  EXPECT_EQ(log.failure(), LoadOutcome::kGpuOom);
  EXPECT_EQ(log.telling_line(), "cudaMalloc failed: out of memory");
}

TEST(EngineLog, TheLineThatExplainsMostIsTold) {
  const EngineLog log = log_of(
      "engine: warn: Failed simulating model resource usage. Error: Failed to load model\n"
      "llama_model_load: error loading model: error loading model vocabulary\n"
      "engine: cannot start: Failed to load model\n");
  EXPECT_EQ(log.failure(), LoadOutcome::kLoadFailed);
  EXPECT_EQ(log.telling_line(),
            "llama_model_load: error loading model: error loading model vocabulary");
}

TEST(EngineLog, WithoutAKnownTextTheLastLineIsAllThatIsKnown) {
  const EngineLog log = log_of("one\ntwo\n\n");
  EXPECT_FALSE(log.failure());
  EXPECT_EQ(log.telling_line(), "two");
}

TEST(EngineLog, HowTheLogIsCutDoesNotMatter) {
  const std::string text =
      "load_tensors: offloaded 7/33 layers to GPU\nsystem_info: n_threads = 12 (n_threads_batch "
      "= 12) / 24\nmain: server is listening on http://127.0.0.1:8080\n";
  for (size_t piece = 1; piece < text.size(); ++piece) {
    EngineLog log(llama_server_recipe().log);
    for (size_t at = 0; at < text.size(); at += piece) log.feed(text.substr(at, piece));
    EXPECT_EQ(log.gpu_layers, 7);
    EXPECT_EQ(log.threads, 12);
    EXPECT_TRUE(log.take_ready());
    EXPECT_FALSE(log.take_ready());
  }
}

TEST(EngineLog, WithoutAGpuNoLayerIsOnOne) {
  EXPECT_EQ(
      log_of("warning: no usable GPU found, --gpu-layers option will be ignored\n").gpu_layers, 0);
}

TEST(EngineLog, ThePortIsToldFromTheModel) {
  EXPECT_TRUE(
      log_of("main: couldn't bind HTTP server socket, hostname: ::, port: 8\n").port_taken());
  EngineLog bundled(bundled_recipe().log);
  bundled.feed("engine: cannot start: listen EADDRINUSE: address already in use 127.0.0.1:9\n");
  EXPECT_TRUE(bundled.port_taken());
}

TEST(EngineLog, ReadsTheBundledEnginesReadyLine) {
  EngineLog log(bundled_recipe().log);
  log.feed(R"({"listening":"http://127.0.0.1:4","model":"m","threads":2,"ctx":4096,"load_ms":81.5})"
           "\n");
  EXPECT_TRUE(log.take_ready());
  EXPECT_EQ(log.threads, 2);
  EXPECT_EQ(log.context_length, 4096);
  EXPECT_EQ(log.load_ms, 81.5);
}

TEST(EngineLog, AnEndlessLineTakesNoMoreThanItsLimit) {
  EngineLog log(llama_server_recipe().log);
  for (int i = 0; i < 100; ++i) log.feed(std::string(4096, 'x'));
  log.feed("\n");
  EXPECT_EQ(log.telling_line().size(), EngineLog::kMaxLineBytes);
}

}  // namespace
}  // namespace assay
