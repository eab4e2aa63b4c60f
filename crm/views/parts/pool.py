"""The pool above a list: how much waits, how much one holds, and the next best one."""

from crm.views.base import PARTS, Part


@PARTS.add
class Pool(Part):
    """Content {waiting, href, held, share, full, take, people: [{key, name, show, share, full}]}; asks `next` for the best of the pool."""

    words = ("In the pool", "You hold", "Take the next best", "Who holds how many", "full")
