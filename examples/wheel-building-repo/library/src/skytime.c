#include "skytime.h"

#include <math.h>

static const double J2000 = 2451545.0;
static const double DEGREE = 3.14159265358979323846 / 180.0;

double skytime_julian_day(int year, int month, double day)
{
    /* January and February count as months 13 and 14 of the year before, so leap days come last. */
    if (month <= 2) {
        year -= 1;
        month += 12;
    }
    double century = floor(year / 100.0);
    double leap_days = 2.0 - century + floor(century / 4.0);
    return floor(365.25 * (year + 4716.0)) + floor(30.6001 * (month + 1)) + day + leap_days - 1524.5;
}

void skytime_calendar(double julian_day, int *year, int *month, double *day)
{
    double midnight = floor(julian_day + 0.5);
    double time_of_day = julian_day + 0.5 - midnight;
    double century = floor((midnight - 1867216.25) / 36524.25);
    double shifted = midnight + 1.0 + century - floor(century / 4.0) + 1524.0;
    double years = floor((shifted - 122.1) / 365.25);
    double start = floor(365.25 * years);
    double months = floor((shifted - start) / 30.6001);

    *day = shifted - start - floor(30.6001 * months) + time_of_day;
    *month = (int)(months < 14.0 ? months - 1.0 : months - 13.0);
    *year = (int)(*month > 2 ? years - 4716.0 : years - 4715.0);
}

double skytime_sidereal(double julian_day)
{
    double days = julian_day - J2000;
    double centuries = days / 36525.0;
    double angle = 280.46061837 + 360.98564736629 * days
                 + centuries * centuries * (0.000387933 - centuries / 38710000.0);
    angle = fmod(angle, 360.0);
    return angle < 0.0 ? angle + 360.0 : angle;
}

double skytime_separation(double longitude1, double latitude1, double longitude2, double latitude2)
{
    /* Vincenty's formula: arc cosines lose small angles, arc sines large ones. */
    double apart = (longitude2 - longitude1) * DEGREE;
    double sin1 = sin(latitude1 * DEGREE), cos1 = cos(latitude1 * DEGREE);
    double sin2 = sin(latitude2 * DEGREE), cos2 = cos(latitude2 * DEGREE);
    double across = hypot(cos2 * sin(apart), cos1 * sin2 - sin1 * cos2 * cos(apart));
    double along = sin1 * sin2 + cos1 * cos2 * cos(apart);
    return atan2(across, along) / DEGREE;
}
