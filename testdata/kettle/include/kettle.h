#ifndef KETTLE_H
#define KETTLE_H

#include "rtos.h"

extern struct queue *readings;
extern volatile int heater_port, sensor_port, uart_port;

void log_line(const char *text);

void heater_set(bool on);
void heater_off(void);
void heater_pulse(void);

void sensor_isr(void);
void sensor_task(void);

void lid_opened(void);

#endif
