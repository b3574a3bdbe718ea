"""SMLDist's memory loss: teacher and student call up the same memories in a Hopfield network.

(arXiv 2107.07331 for the idea; the formula is ours.) A modern Hopfield network stores patterns
M [N, d] and answers a state f with M^T softmax(beta M f) (Ramsauer et al. 2021, equation 3). The
patterns are learned beside the teacher (`memorise`) and then frozen. With one pattern alone the
association would always be 1: N must be above 1.
"""

from __future__ import annotations

import tensorflow as tf

from tinyhar.distill.losses import kl_divergence


def log_association(features: tf.Tensor, patterns: tf.Tensor, beta: float) -> tf.Tensor:
    """log softmax(beta M f): features [batch, d], patterns [N, d] -> [batch, N]."""
    return tf.nn.log_softmax(beta * tf.matmul(features, patterns, transpose_b=True))


def retrieve(features: tf.Tensor, patterns: tf.Tensor, beta: float) -> tf.Tensor:
    """M^T softmax(beta M f) [batch, d]: what the memory answers."""
    return tf.matmul(tf.exp(log_association(features, patterns, beta)), patterns)


def memory_loss(
    teacher: tf.Tensor, student: tf.Tensor, patterns: tf.Tensor, beta: float, retrieval: float
) -> tf.Tensor:
    """KL(assoc(f_t) || assoc(f_s)) + mu MSE(M^T assoc(f_s), M^T assoc(f_t)).

    Args:
        teacher: f_t [batch, d].
        student: f_s [batch, d].
        patterns: M [N, d], N above 1.
        beta: inverse temperature of the association.
        retrieval: mu; 0: the association alone.
    """
    theirs = log_association(teacher, patterns, beta)
    ours = log_association(student, patterns, beta)
    loss = kl_divergence(theirs, ours)
    if retrieval:
        answers = tf.matmul(tf.exp(ours) - tf.exp(theirs), patterns)
        loss += retrieval * tf.reduce_mean(tf.square(answers))
    return loss
