#pragma once

#include <string>

#include "reports/document.h"

namespace assay {

/// `imported from llama-bench 8cf427ff (result.json): its definitions`.
std::string import_text(const ImportSource& source);

/// The figures as the other tool states them, under its own names: for reading, never compared.
Table reported_table(const ImportSource& source);
std::string reported_title(const ImportSource& source);

}  // namespace assay
