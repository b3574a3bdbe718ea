"""SMLDist's stage loss: a student's features follow its teacher's in time and in frequency.

(arXiv 2107.07331; that stages are compared, and with attention to frequency, is the paper's; the
formulas of the frequency term are ours.) Features are [batch, 1, time, channel] of equal shape.
"""

from __future__ import annotations

import tensorflow as tf


def time_term(teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """MSE(F_s, F_t): the mean over batch, time and channels."""
    return tf.reduce_mean(tf.math.squared_difference(student, teacher))


def frequency_term(teacher: tf.Tensor, student: tf.Tensor, *, dc: bool = True) -> tf.Tensor:
    """sum_{c,f} w(c, f) (|X_s| - |X_t|)^2 / (C T), the mean over the batch (ours).

    X = rfft over time; w(c, f) = |X_t(c, f)|^2 / sum_f |X_t(c, f)|^2 attends to the frequencies
    that carry the teacher's energy. A circular shift in time of either model's features changes
    nothing: the phase of a movement within its window is chance.

    Args:
        teacher: F_t.
        student: F_s.
        dc: whether bin 0, the mean over time (posture), takes part.
    """
    theirs, ours = spectrum(teacher), spectrum(student)
    if not dc:
        theirs, ours = theirs[..., 1:], ours[..., 1:]
    size = float(teacher.shape[2] * teacher.shape[3])
    squares = attention(theirs) * tf.math.squared_difference(ours, theirs)
    return tf.reduce_mean(tf.reduce_sum(squares, axis=(1, 2))) / size


def spectrum(features: tf.Tensor) -> tf.Tensor:
    """|X| [batch, channel, time // 2 + 1]."""
    return tf.abs(tf.signal.rfft(tf.transpose(features[:, 0], (0, 2, 1))))


def attention(magnitudes: tf.Tensor) -> tf.Tensor:
    """w: each channel's share of energy in each bin; 0 throughout for a silent channel."""
    energy = tf.square(magnitudes)
    return tf.math.divide_no_nan(energy, tf.reduce_sum(energy, axis=-1, keepdims=True))
