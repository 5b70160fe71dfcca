/* SPDX-License-Identifier: Apache-2.0 */
#include "forecast.h"

#include <math.h>

#define MEMORY 16	  /* intervals that the average and the losses look back on */
#define FILTER_RATE 0.05f /* step of the filter; normalised, so that below 2 is stable */
#define FILTER_NOISE 4.0f /* damps its steps where its input is mostly noise */
#define OUTLIER 3.0f	  /* a miss by so many usual misses counts as no more than that */
#define SURE_AFTER 4	  /* values before there is a usual miss */
#define RATIO_MIN 1e-4f	  /* its eighth power is still a normal float */
#define TINY 1e-15f	  /* counts as nothing; its square is still a normal float */

enum { LAST, AVERAGE, FILTER };

static float clamp_value(float value, float least, float most)
{
	float raised = value < least ? least : value;
	return raised > most ? most : raised;
}

static void begin_forecast(struct tern_forecast *forecast, float value)
{
	for (int i = 0; i < TERN_FORECAST_LAGS; i++)
		forecast->lags[i] = value;
	for (int i = 0; i < TERN_FORECAST_EXPERTS; i++)
		forecast->losses[i] = TINY;
	forecast->loss = TINY;
	forecast->average = value;
	forecast->next = value;
}

/* The filter's guess: the average and the weighted distances of the last values from it. */
static float filter_forecast(const struct tern_forecast *forecast)
{
	float guess = forecast->average, most = guess;
	for (int i = 0; i < TERN_FORECAST_LAGS; i++) {
		float lag = forecast->lags[i];
		guess += forecast->weights[i] * (lag - forecast->average);
		most = lag > most ? lag : most;
	}
	return clamp_value(guess, 0, 2 * most);
}

static void guess_all(const struct tern_forecast *forecast, float guesses[TERN_FORECAST_EXPERTS])
{
	guesses[LAST] = forecast->lags[0];
	guesses[AVERAGE] = forecast->average;
	guesses[FILTER] = filter_forecast(forecast);
}

/* TINY keeps a loss off zero, which ratios need, and out of the slow denormal numbers. */
static float loss_after(float loss, float miss, float gain)
{
	return loss + gain * (fabsf(miss) + TINY - loss);
}

/* No step moves a weight by more than 0.04, whatever comes: so they stay finite. */
static void train_filter(struct tern_forecast *forecast, float miss)
{
	float loss = forecast->losses[FILTER], power = FILTER_NOISE * loss * loss;
	for (int i = 0; i < TERN_FORECAST_LAGS; i++) {
		float distance = forecast->lags[i] - forecast->average;
		power += distance * distance;
	}
	float step = FILTER_RATE * clamp_value(miss, -OUTLIER * loss, OUTLIER * loss) / power;
	for (int i = 0; i < TERN_FORECAST_LAGS; i++) {
		float distance = forecast->lags[i] - forecast->average;
		forecast->weights[i] += step * distance;
	}
}

static void train_average(struct tern_forecast *forecast, float miss, float gain)
{
	float most = OUTLIER * forecast->losses[AVERAGE];
	if (forecast->count >= SURE_AFTER)
		miss = clamp_value(miss, -most, most);
	forecast->average += gain * miss;
	if (forecast->average < TINY)
		forecast->average = 0;
}

static void push_lag(struct tern_forecast *forecast, float value)
{
	for (int i = TERN_FORECAST_LAGS - 1; i > 0; i--)
		forecast->lags[i] = forecast->lags[i - 1];
	forecast->lags[0] = value;
}

static float mix_forecast(const struct tern_forecast *forecast)
{
	const float *losses = forecast->losses;
	float guesses[TERN_FORECAST_EXPERTS], least = losses[0], sum = 0, weights = 0;
	guess_all(forecast, guesses);
	for (int i = 1; i < TERN_FORECAST_EXPERTS; i++)
		least = losses[i] < least ? losses[i] : least;
	for (int i = 0; i < TERN_FORECAST_EXPERTS; i++) {
		float weight = clamp_value(least / losses[i], RATIO_MIN, 1);
		weight *= weight;
		weight *= weight;
		weight *= weight;
		sum += weight * guesses[i];
		weights += weight;
	}
	return sum / weights;
}

void tern_forecast_observe(struct tern_forecast *forecast, float value)
{
	float guesses[TERN_FORECAST_EXPERTS];
	if (!isfinite(value))
		return;
	value = value < TINY ? 0 : clamp_value(value, 0, TERN_FORECAST_LOAD_MAX);
	if (forecast->count == 0)
		begin_forecast(forecast, value);
	if (forecast->count < MEMORY)
		forecast->count++;
	float gain = 1.0f / (float)forecast->count;
	guess_all(forecast, guesses);
	for (int i = 0; i < TERN_FORECAST_EXPERTS; i++)
		forecast->losses[i] = loss_after(forecast->losses[i], value - guesses[i], gain);
	forecast->loss = loss_after(forecast->loss, value - forecast->next, gain);
	train_filter(forecast, value - guesses[FILTER]);
	train_average(forecast, value - guesses[AVERAGE], gain);
	push_lag(forecast, value);
	forecast->next = mix_forecast(forecast);
}

float tern_forecast_error(const struct tern_forecast *forecast)
{
	if (forecast->count == 0)
		return 1;
	if (forecast->loss < 2 * TINY)
		return 0;
	if (forecast->loss > TERN_FORECAST_ERROR_MAX * forecast->average)
		return TERN_FORECAST_ERROR_MAX;
	return forecast->loss / forecast->average;
}
