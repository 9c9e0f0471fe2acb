/* See model.h. */
#include "trace/model.h"

#include <math.h>

#include "base/check.h"

enum { BITS = 8 };

bool model_bit(const uint8_t *bits, size_t at)
{
    return (bits[at / BITS] >> at % BITS & 1) != 0;
}

void model_set_bit(uint8_t *bits, size_t at)
{
    bits[at / BITS] = (uint8_t)(bits[at / BITS] | 1U << at % BITS);
}

size_t model_bits_bytes(size_t count)
{
    return count / BITS + 1;
}

double model_guilt(const struct model_record *records, const uint8_t *held, size_t count)
{
    double log_innocent = 0;
    for (size_t t = 0; t < count; t++) {
        if (!model_bit(held, t))
            continue;
        CHECK(records[t].holders > 0);
        uint64_t holders = (uint64_t)records[t].holders + records[t].may_be_older;
        log_innocent += log1p(-(1 - records[t].elsewhere) / (double)holders);
    }
    return 0 - expm1(log_innocent); /* 0 - 0 is 0, where -0 would be printed with its sign */
}

double model_log_likelihood(const struct model_record *records, const uint8_t *held, size_t count,
                            double error)
{
    double sum = 0;
    for (size_t t = 0; t < count; t++)
        sum += held != NULL && model_bit(held, t) ? log1p(-error) : log(records[t].elsewhere);
    return sum;
}

void model_posterior(const double *priors, const double *log_likelihoods, size_t count,
                     double *posteriors)
{
    double most = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++) {
        posteriors[i] = log(priors[i]) + log_likelihoods[i];
        most = fmax(most, posteriors[i]);
    }
    for (size_t i = 0; i < count; i++) {
        posteriors[i] = most == -INFINITY ? 0 : exp(posteriors[i] - most);
        sum += posteriors[i];
    }
    for (size_t i = 0; i < count && sum > 0; i++)
        posteriors[i] /= sum;
}
