"""The toolkit in the admin and in Django REST framework."""
