#pragma once

namespace assay {

/// I_x(a, b), the regularised incomplete beta function, for a and b above 0 and x cut to [0, 1], by
/// its continued fraction (modified Lentz; Numerical Recipes 6.4). For whole n and k it is the
/// binomial tail: I_p(k, n - k + 1) = P(Bin(n, p) >= k).
double incomplete_beta(double x, double a, double b);

}  // namespace assay
