/* The library skytime for Python: arguments in, results out, and errors for what is not finite. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <skytime.h>

static int is_finite(double value, const char *what)
{
    if (isfinite(value)) {
        return 1;
    }
    PyErr_Format(PyExc_ValueError, "%s is not finite", what);
    return 0;
}

static PyObject *julian_day(PyObject *module, PyObject *arguments)
{
    int year, month;
    double day;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "iid:julian_day", &year, &month, &day) || !is_finite(day, "day")) {
        return NULL;
    }
    if (month < 1 || month > 12) {
        PyErr_Format(PyExc_ValueError, "month must be in 1..12, not %d", month);
        return NULL;
    }
    return PyFloat_FromDouble(skytime_julian_day(year, month, day));
}

static PyObject *calendar(PyObject *module, PyObject *argument)
{
    int year, month;
    double day, moment = PyFloat_AsDouble(argument);
    (void)module;
    if (PyErr_Occurred() || !is_finite(moment, "julian_day")) {
        return NULL;
    }
    if (moment < 0.0 || moment > 1e8) {
        PyErr_SetString(PyExc_ValueError, "julian_day must be in 0..1e8");
        return NULL;
    }
    skytime_calendar(moment, &year, &month, &day);
    return Py_BuildValue("iid", year, month, day);
}

static PyMethodDef methods[] = {
    {"julian_day", julian_day, METH_VARARGS, PyDoc_STR("julian_day(year, month, day)")},
    {"calendar", calendar, METH_O, PyDoc_STR("calendar(julian_day) -> (year, month, day)")},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "skyclock._skytime",
    .m_doc = PyDoc_STR("The library skytime."),
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__skytime(void)
{
    return PyModuleDef_Init(&module);
}
