#include <array>

#include "supervise/engine_log.h"

namespace assay {
namespace {

constexpr LoadOutcome kOom = LoadOutcome::kGpuOom;
constexpr LoadOutcome kBad = LoadOutcome::kLoadFailed;

/// Causes come before what follows from them. Texts are llama.cpp's own and those of the drivers
/// below it; most stand in reports of its users.
constexpr std::array kFailures{
    // CUDA, and ROCm, which is compiled from the same code under other names.
    FailurePattern{"cudamalloc failed", kOom},
    FailurePattern{"hipmalloc failed", kOom},
    FailurePattern{"cuda error: out of memory", kOom},
    FailurePattern{"cuda out of memory", kOom},
    FailurePattern{"cuda_error_out_of_memory", kOom},
    FailurePattern{"cudaerrormemoryallocation", kOom},
    FailurePattern{"rocm error: out of memory", kOom},
    FailurePattern{"hip error: out of memory", kOom},
    FailurePattern{"hiperroroutofmemory", kOom},
    FailurePattern{"failed to allocate cuda", kOom},
    FailurePattern{"failed to allocate rocm", kOom},
    FailurePattern{"failed to allocate hip", kOom},
    FailurePattern{"unable to allocate cuda", kOom},
    FailurePattern{"unable to allocate rocm", kOom},
    FailurePattern{"unable to allocate hip", kOom},
    // Vulkan.
    FailurePattern{"erroroutofdevicememory", kOom},
    FailurePattern{"vk_error_out_of_device_memory", kOom},
    FailurePattern{"ggml_vulkan: device memory allocation of size", kOom},
    FailurePattern{"failed to allocate vulkan", kOom},
    FailurePattern{"unable to allocate vulkan", kOom},
    // Metal.
    FailurePattern{"kiogpucommandbuffercallbackerroroutofmemory", kOom},
    FailurePattern{"failed to allocate metal", kOom},
    FailurePattern{"unable to allocate metal", kOom},
    FailurePattern{"ggml_metal_get_buffer: error: buffer is nil", kOom},
    FailurePattern{"ggml_backend_metal_buffer_type_alloc_buffer: error: failed to allocate", kOom},
    // SYCL and Level Zero.
    FailurePattern{"ur_result_error_out_of_device_memory", kOom},
    FailurePattern{"failed to allocate sycl", kOom},
    FailurePattern{"unable to allocate sycl", kOom},
    // The same for all of them, where the line does not name the device.
    FailurePattern{"unable to allocate backend buffer", kOom},

    // The model file, or settings that do not go with it.
    FailurePattern{"error loading model", kBad},
    FailurePattern{"failed to load model", kBad},
    FailurePattern{"exiting due to model loading error", kBad},
    FailurePattern{"failed to open gguf file", kBad},
    FailurePattern{"invalid magic", kBad},
    FailurePattern{"unknown model architecture", kBad},
    FailurePattern{"failed to create context with model", kBad},
    FailurePattern{"failed to initialize the context", kBad},
    FailurePattern{"error: invalid argument:", kBad},
    FailurePattern{"error while handling argument", kBad},
    FailurePattern{"cannot start: ", kBad},
};

}  // namespace

std::span<const FailurePattern> llama_cpp_failures() { return kFailures; }

}  // namespace assay
