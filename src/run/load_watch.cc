#include "run/load_watch.h"

#include "model/cell_load.h"
#include "model/json.h"
#include "run/served_load.h"

namespace assay {

Task<void> LoadWatch::answered(int64_t cell) {
  LiveCell& live = run_.live(cell);
  if (run_.session.managed(live) != nullptr || live.engine == nullptr) co_return;
  if (!live.engine->tells_loads()) co_return;
  const int64_t changes = hosted_model_of(run_.session, live).changes;
  const auto [looked, is_first] = looked_.try_emplace(cell, changes);
  if (!is_first && looked->second == changes) co_return;
  looked->second = changes;  // Before the wait: calls side by side ask once.
  auto load = co_await ask_load(run_.session, live);
  if (!load || knows_load(live.cell, *load)) co_return;
  load->cell = cell;
  load->at_ns = mono_now_ns() - run_.epoch;
  take_load(*load, live.cell);
  records_.add_line(load_line(*load));
}

}  // namespace assay
