/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORECAST_H
#define FORECAST_H

#include <stdint.h>

#define TERN_FORECAST_LAGS 4
#define TERN_FORECAST_EXPERTS 3

/** Larger loads count as this one. */
#define TERN_FORECAST_LOAD_MAX 1e9f
#define TERN_FORECAST_ERROR_MAX 8.0f

/**
 * Online forecast of a load, such as an agent's share of a CPU or its signals per second, one
 * interval of fixed length ahead.
 *
 * Three experts guess: the last value; a moving average on which a single outlier has little hold;
 * and a linear filter over the last values, which learns periods and slopes. The forecast is the
 * mean of the guesses, weighted by how little each missed lately, to the eighth power. Nothing is
 * known in advance, not even the unit. A value's hold on what is learned fades by 1/16 an interval.
 *
 * The caller owns the memory; all zero is a fresh forecast. One thread at a time.
 *
 * Source: Bates and Granger, "The Combination of Forecasts", 1969 (weights by past errors); Widrow
 * and Hoff, "Adaptive Switching Circuits", 1960, normalised (the filter); Huber, "Robust Estimation
 * of a Location Parameter", 1964 (the average).
 */
struct tern_forecast {
	float lags[TERN_FORECAST_LAGS];	     /* the last values, newest first */
	float weights[TERN_FORECAST_LAGS];   /* of the filter */
	float losses[TERN_FORECAST_EXPERTS]; /* mean absolute error of each expert */
	float loss;			     /* of the forecast */
	float average;
	float next;
	uint32_t count; /* values seen, up to the length of the memory */
};

_Static_assert(sizeof(struct tern_forecast) <= 64, "a forecast is one cache line at most");

/**
 * Learn the load of the interval that just ended.
 *
 * @param value 0 or more, in any unit; below 0 counts as 0; infinite or not a number: no effect
 */
void tern_forecast_observe(struct tern_forecast *forecast, float value);

/**
 * The load to expect in the next interval: 0 to twice the largest one seen; 0 when fresh.
 *
 * It aims at the usual load: where rare bursts make up much of the load it is below the mean.
 */
static inline float tern_forecast_next(const struct tern_forecast *forecast)
{
	return forecast->next;
}

/**
 * How far to trust the forecast: by how much it lately missed, as a part of the usual load.
 *
 * @return 0: exact; 1: as much as the load itself, or fresh; at most TERN_FORECAST_ERROR_MAX
 */
float tern_forecast_error(const struct tern_forecast *forecast);

#endif
