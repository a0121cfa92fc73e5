/* skytime: dates and times as astronomers count them.
 *
 * All angles are in degrees. Days are Julian days: they are counted from noon, and 2451545.0 is
 * 2000-01-01 12:00. Calendar dates are Gregorian, also before the calendar came into use.
 */
#ifndef SKYTIME_H
#define SKYTIME_H

#if defined(_WIN32)
#  if defined(SKYTIME_BUILDING)
#    define SKYTIME_API __declspec(dllexport)
#  else
#    define SKYTIME_API __declspec(dllimport)
#  endif
#else
#  define SKYTIME_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The Julian day of a date; the time of day is the fraction of `day`, which counts from 1. */
SKYTIME_API double skytime_julian_day(int year, int month, double day);

/* The date of a Julian day: the other way round. */
SKYTIME_API void skytime_calendar(double julian_day, int *year, int *month, double *day);

/* Greenwich mean sidereal time in [0, 360): the right ascension that crosses the meridian (IAU 1982). */
SKYTIME_API double skytime_sidereal(double julian_day);

/* How far apart two places in the sky are, in [0, 180]; exact for tiny and for huge distances alike. */
SKYTIME_API double skytime_separation(double longitude1, double latitude1, double longitude2, double latitude2);

#ifdef __cplusplus
}
#endif

#endif
