// The band on an Arduino Nano 33 BLE Sense (either revision), with the board's own IMU.
//
// Serial is the line: watch it with `python tools/band.py live`. The RGB LED shows the class by its
// number's lowest three bits. A button from pin 2 to GND teaches a new class: press, do it for some
// seconds, press again.
#if __has_include(<Arduino_BMI270_BMM150.h>)
#include <Arduino_BMI270_BMM150.h>  // Rev2
#else
#include <Arduino_LSM9DS1.h>  // the first revision
#endif

#include "port.h"

constexpr int kButton = 2;
constexpr unsigned long kBouncing = 50;  // milliseconds
constexpr uint32_t kMostLate = 10;       // samples to make up for; after that some are missing
constexpr float kGravity = 9.80665f;

static thar_band band;
static bool has_imu;
alignas(16) static uint8_t arena[THAR_ARENA_BYTES];

void Show(uint8_t number) {
  digitalWrite(LEDR, !(number & 1));  // the LED's pins are active low
  digitalWrite(LEDG, !(number & 2));
  digitalWrite(LEDB, !(number & 4));
}

// The IMU runs at a rate of its own, about 100 Hz: the band gets its latest values at the model's.
void Sense() {
  static float acc[3], gyro[3];
  static uint32_t due = micros();
  constexpr uint32_t kPeriod = 1000000000u / TINYHAR_RATE_MILLIHERTZ;
  if (IMU.accelerationAvailable()) {
    IMU.readAcceleration(acc[0], acc[1], acc[2]);
    for (float &value : acc) value *= kGravity;
  }
  if (IMU.gyroscopeAvailable()) {
    IMU.readGyroscope(gyro[0], gyro[1], gyro[2]);
    for (float &value : gyro) value *= DEG_TO_RAD;
  }
  const int32_t late = static_cast<int32_t>(micros() - due);
  if (late < 0) return;
  due += late > static_cast<int32_t>(kMostLate * kPeriod) ? late : kPeriod;
  int16_t counts[TINYHAR_CHANNELS];
  tinyhar_counts(acc, gyro, counts);
  if (thar_band_sense(&band, counts, TINYHAR_CHANNELS)) Show(thar_band_shown(&band).class_index + 1);
}

void LookAtButton() {
  static bool was_down = false;
  static unsigned long since = 0;
  const bool down = digitalRead(kButton) == LOW;
  if (down == was_down || millis() - since < kBouncing) return;
  since = millis();
  was_down = down;
  if (!down) return;
  thar_band_press(&band);
  digitalWrite(LED_BUILTIN, band.learner.showing);
}

void setup() {
  PortBegin();
  for (int pin : {LEDR, LEDG, LEDB, LED_BUILTIN}) pinMode(pin, OUTPUT);
  pinMode(kButton, INPUT_PULLUP);
  Show(0);
  has_imu = IMU.begin();
  if (!has_imu) Show(1);  // the band still answers a host
  thar_band_init(&band, arena, sizeof arena);
  thar_band_announce(&band);
}

void loop() {
  uint8_t bytes[64];
  thar_band_receive(&band, bytes, thar_port_read(bytes, sizeof bytes));
  if (has_imu) Sense();
  LookAtButton();
}
