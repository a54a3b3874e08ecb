#pragma once

namespace assay {

/// P(T <= t) for Student's t with `df` >= 1 degrees of freedom, from the regularised incomplete
/// beta function.
double t_probability(double t, double df);

/// The `p` quantile of Student's t, p in (0, 1): right to 1e-9 relative. Extreme p are cut at ±1e6.
double t_quantile(double p, double df);

}  // namespace assay
