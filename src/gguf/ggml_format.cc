#include "gguf/ggml_format.h"

#include <array>

#include "base/check.h"

namespace assay {
namespace {

// ggml's block layouts. Ids that ggml has retired are left out.
constexpr std::array kFormats = {
    GgmlFormat{0, "f32", 1, 4},         GgmlFormat{1, "f16", 1, 2},
    GgmlFormat{2, "q4_0", 32, 18},      GgmlFormat{3, "q4_1", 32, 20},
    GgmlFormat{6, "q5_0", 32, 22},      GgmlFormat{7, "q5_1", 32, 24},
    GgmlFormat{8, "q8_0", 32, 34},      GgmlFormat{9, "q8_1", 32, 36},
    GgmlFormat{10, "q2_k", 256, 84},    GgmlFormat{11, "q3_k", 256, 110},
    GgmlFormat{12, "q4_k", 256, 144},   GgmlFormat{13, "q5_k", 256, 176},
    GgmlFormat{14, "q6_k", 256, 210},   GgmlFormat{15, "q8_k", 256, 292},
    GgmlFormat{16, "iq2_xxs", 256, 66}, GgmlFormat{17, "iq2_xs", 256, 74},
    GgmlFormat{18, "iq3_xxs", 256, 98}, GgmlFormat{19, "iq1_s", 256, 50},
    GgmlFormat{20, "iq4_nl", 32, 18},   GgmlFormat{21, "iq3_s", 256, 110},
    GgmlFormat{22, "iq2_s", 256, 82},   GgmlFormat{23, "iq4_xs", 256, 136},
    GgmlFormat{24, "i8", 1, 1},         GgmlFormat{25, "i16", 1, 2},
    GgmlFormat{26, "i32", 1, 4},        GgmlFormat{27, "i64", 1, 8},
    GgmlFormat{28, "f64", 1, 8},        GgmlFormat{29, "iq1_m", 256, 56},
    GgmlFormat{30, "bf16", 1, 2},       GgmlFormat{34, "tq1_0", 256, 54},
    GgmlFormat{35, "tq2_0", 256, 66},   GgmlFormat{39, "mxfp4", 32, 17},
};

constexpr std::array kQuantisations = {
    QuantisationFormat{Quantisation::kF32, "f32", GgmlType::kF32, 0},
    QuantisationFormat{Quantisation::kF16, "f16", GgmlType::kF16, 1},
    QuantisationFormat{Quantisation::kQ8_0, "q8_0", GgmlType::kQ8_0, 7},
    QuantisationFormat{Quantisation::kQ6_K, "q6_k", GgmlType::kQ6_K, 18},
    QuantisationFormat{Quantisation::kQ4_K_M, "q4_k_m", GgmlType::kQ4_K, 15},
    QuantisationFormat{Quantisation::kQ4_0, "q4_0", GgmlType::kQ4_0, 2},
};

struct FileTypeLabel {
  uint32_t file_type;
  std::string_view label;
};

constexpr std::array kFileTypeLabels = {
    FileTypeLabel{0, "f32"},     FileTypeLabel{1, "f16"},      FileTypeLabel{2, "q4_0"},
    FileTypeLabel{3, "q4_1"},    FileTypeLabel{7, "q8_0"},     FileTypeLabel{8, "q5_0"},
    FileTypeLabel{9, "q5_1"},    FileTypeLabel{10, "q2_k"},    FileTypeLabel{11, "q3_k_s"},
    FileTypeLabel{12, "q3_k_m"}, FileTypeLabel{13, "q3_k_l"},  FileTypeLabel{14, "q4_k_s"},
    FileTypeLabel{15, "q4_k_m"}, FileTypeLabel{16, "q5_k_s"},  FileTypeLabel{17, "q5_k_m"},
    FileTypeLabel{18, "q6_k"},   FileTypeLabel{19, "iq2_xxs"}, FileTypeLabel{20, "iq2_xs"},
    FileTypeLabel{21, "q2_k_s"}, FileTypeLabel{22, "iq3_xs"},  FileTypeLabel{23, "iq3_xxs"},
    FileTypeLabel{24, "iq1_s"},  FileTypeLabel{25, "iq4_nl"},  FileTypeLabel{26, "iq3_s"},
    FileTypeLabel{27, "iq3_m"},  FileTypeLabel{28, "iq2_s"},   FileTypeLabel{29, "iq2_m"},
    FileTypeLabel{30, "iq4_xs"}, FileTypeLabel{31, "iq1_m"},   FileTypeLabel{32, "bf16"},
    FileTypeLabel{36, "tq1_0"},  FileTypeLabel{37, "tq2_0"},   FileTypeLabel{38, "mxfp4"},
};

}  // namespace

std::optional<GgmlFormat> ggml_format(uint32_t type_id) {
  for (const GgmlFormat& format : kFormats) {
    if (format.type_id == type_id) return format;
  }
  return std::nullopt;
}

GgmlFormat ggml_format(GgmlType type) {
  const auto format = ggml_format(static_cast<uint32_t>(type));
  ASSAY_CHECK(format.has_value());
  return *format;
}

int64_t ggml_bytes(GgmlType type, int64_t values) {
  const GgmlFormat format = ggml_format(type);
  ASSAY_CHECK(values % format.block_values == 0);
  return values / format.block_values * format.block_bytes;
}

std::span<const QuantisationFormat> quantisation_formats() { return kQuantisations; }

const QuantisationFormat& quantisation_format(Quantisation quantisation) {
  for (const QuantisationFormat& format : kQuantisations) {
    if (format.quantisation == quantisation) return format;
  }
  ASSAY_CHECK(false);
}

std::string_view file_type_label(uint32_t file_type) {
  constexpr uint32_t kGuessedFlag = 1024;  // llama.cpp's mark for a type inferred from the tensors.
  for (const FileTypeLabel& known : kFileTypeLabels) {
    if (known.file_type == (file_type & ~kGuessedFlag)) return known.label;
  }
  return {};
}

}  // namespace assay
