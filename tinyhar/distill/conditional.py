"""SMLDist's logits loss: learn from the teacher where it is right, from the label where it errs.

(arXiv 2107.07331: the smoothed conditional rule; the authors' code puts softmax upon softmax, which
is not followed here.)
"""

from __future__ import annotations

import tensorflow as tf

from tinyhar.distill.losses import kl_divergence, smoothed


def conditional_targets(
    teacher_logits: tf.Tensor,
    targets: tf.Tensor,
    temperature: float,
    smoothing: float,
    right: tf.Tensor | None = None,
) -> tf.Tensor:
    """q [batch, classes] = softmax(z_t / tau) where the teacher is right, else the smoothed label.

    The smoothed label is (1 - e) onehot(h) + e / K. Mixed targets (mixup) stand in whole for the
    one-hot label (ours).

    Args:
        right: bool [batch], where the teacher is right about the windows as they were recorded.
            None: judged by `teacher_logits`, targets counting as their largest class. Of windows
            that augmentation has made ambiguous that drives the student from the class that the
            teacher prefers: its flat answers where that class is true, sharp labels where not.
    """
    if right is None:
        right = tf.equal(tf.argmax(teacher_logits, axis=-1), tf.argmax(targets, axis=-1))
    soft = tf.nn.softmax(teacher_logits / temperature)
    return tf.where(right[:, None], soft, smoothed(targets, smoothing))


def conditional(
    teacher_logits: tf.Tensor,
    student_logits: tf.Tensor,
    targets: tf.Tensor,
    temperature: float,
    smoothing: float,
    right: tf.Tensor | None = None,
) -> tf.Tensor:
    """tau^2 KL(q || softmax(z_s / tau)), the mean over the batch; targets [batch, classes]."""
    q = conditional_targets(teacher_logits, targets, temperature, smoothing, right)
    log_q = tf.math.log(tf.maximum(q, 1e-12))  # an unsmoothed label has zeros
    return temperature**2 * kl_divergence(log_q, tf.nn.log_softmax(student_logits / temperature))
