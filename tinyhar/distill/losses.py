"""Losses as pure functions of tensors; each is a mean over the batch, a scalar.

Targets are probabilities [batch, classes] (one-hot labels, or mixtures of them), so that label
smoothing and mixup need nothing special here.
"""

from __future__ import annotations

import tensorflow as tf


def smoothed(targets: tf.Tensor, smoothing: float) -> tf.Tensor:
    """(1 - e) targets + e / K (Szegedy et al. 2016, section 7), e in [0, 1)."""
    classes = tf.cast(tf.shape(targets)[-1], targets.dtype)
    return (1.0 - smoothing) * targets + smoothing / classes


def cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """-sum_k targets_k log softmax(logits)_k."""
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def kl_divergence(log_p: tf.Tensor, log_q: tf.Tensor) -> tf.Tensor:
    """KL(p || q) of two distributions given by their logarithms [batch, classes]."""
    return tf.reduce_mean(tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1))


def hinton(teacher_logits: tf.Tensor, student_logits: tf.Tensor, temperature: float) -> tf.Tensor:
    """tau^2 KL(softmax(z_t / tau) || softmax(z_s / tau)) (Hinton et al. 2015, section 2.1)."""
    teacher = tf.nn.log_softmax(teacher_logits / temperature)
    student = tf.nn.log_softmax(student_logits / temperature)
    return temperature**2 * kl_divergence(teacher, student)
